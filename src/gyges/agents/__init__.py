"""An agent: a model with its settings and its LangGraph graph, playing one episode."""
