"""gyges: does an agent act the same when it believes that nobody who could change it is looking?"""

__version__ = "0.1.0"
