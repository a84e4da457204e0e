"""The template sandbox: nothing gets out, nothing hangs, and marks survive where words are written as they are."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gyges.scenarios.marked import as_text, joined, signal
from gyges.scenarios.plan import Text
from gyges.scenarios.template import Fault, rendered

ESCAPES = [
    "{{ ''.__class__ }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}",
    "{{ x.__class__ }}",
    "{{ x['__class__'] }}",
    "{{ x['__cl' ~ 'ass__'] }}",
    "{{ x|attr('__class__') }}",
    "{{ x|attr('\\x5f\\x5fclass\\x5f\\x5f') }}",
    "{{ [x]|map(attribute='__class__')|first }}",
    "{{ [x]|groupby('__class__') }}",
    "{{ '{0.__class__}'.format(x) }}",
    "{{ '{a.__class__}'.format_map({'a': x}) }}",
    "{{ '%s'|format(x.__class__) }}",
    "{{ cycler.__init__.__globals__ }}",
    "{{ lipsum.__globals__['os'].popen('id').read() }}",
    "{{ joiner.__init__.__globals__ }}",
    "{{ namespace.__init__ }}",
    "{{ self.__init__.__globals__ }}",
    "{{ self._TemplateReference__context }}",
    "{{ range.__class__ }}",
    "{{ range.__call__ }}",
    "{{ config }}",
    "{{ request.application.__globals__ }}",
    "{{ get_flashed_messages.__globals__ }}",
    "{{ url_for.__globals__ }}",
    "{% macro m() %}{% endmacro %}{{ m.__globals__ }}",
    "{% macro m() %}{% endmacro %}{{ m['__init__'] }}",
    "{% macro m() %}{{ caller.__class__ }}{% endmacro %}{{ m() }}",
    "{% for a in [1] %}{{ loop.__class__ }}{% endfor %}",
    "{% for a in [1] %}{{ loop._iterator }}{% endfor %}",
    "{% for a in [1] %}{{ loop['__class__'] }}{% endfor %}",
    "{% include '/etc/passwd' %}",
    "{% import 'os' as os %}",
    "{% from 'x' import y %}",
    "{% extends '/etc/passwd' %}",
    "{% block b %}{{ self.b.__globals__ }}{% endblock %}",
    "{% set ns = namespace(a=1) %}{% set ns.__class__ = 1 %}",
    "{% autoescape false %}{{ x.__class__ }}{% endautoescape %}",
    "{% filter attr('__class__') %}x{% endfilter %}",
    "{{ x is sameas x.__class__ }}",
    "{{ ['a']|sort(attribute='__class__')|first|string|attr('x') }}",
    "{{ x|pprint }}",
    "{{ x|random }}",
    "{{ lipsum() }}",
    "{{ now() }}",
    "{{ dict(a=1) }}",
    "{{ range }}",
    "{{ [x] }}",
    "{{ none }}",
    "{% debug %}",
    "{% do x.append(1) %}",
]


@pytest.mark.parametrize("source", ESCAPES)
def test_no_template_reaches_out_of_the_sandbox(source: str) -> None:
    with pytest.raises(Fault):
        rendered(source, {"x": "text"})


DOUBLED = "{% set x = 'aaaaaaaa' %}" + "{% set x = x ~ x %}" * 60 + "{{ x }}"
ENDLESS = [
    "{{ 'a' * 10**9 }}",
    "{{ 'a' * 1000000000 }}",
    "{{ 10**10**8 }}",
    "{{ 999999999 * 999999999 * 999999999 }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ 'a'|center(1000000000) }}",
    "{{ 'a'.ljust(1000000000) }}",
    "{{ 'a'|indent(1000000000) }}",
    "{{ 1|round(1000000000, 'ceil') }}",
    "{% for i in range(999999999) %}{% endfor %}",
    "{% for i in range(9999) %}" * 6 + "{% endfor %}" * 6,
    "{% for i in range(9999) %}" * 6 + "x" + "{% endfor %}" * 6,
    "{% for i in range(9999) %}" + "{{ 1 }}" * 20000 + "{% endfor %}",
    "{% for i in range(9999) %}" + "{% if 1 %}a{% endif %}" * 20000 + "{% endfor %}",
    "{% for i in range(9999) %}" + "{% set x = 1 %}" * 20000 + "{% endfor %}",
    "{% macro m() %}"
    + "{% set x = 1 %}" * 20000
    + "{% endmacro %}{% for i in range(9999) %}{{ m() }}{% endfor %}",
    "{% for i in range(9999) %}" + "{{ 1 }}" * 1200 + "{% endfor %}",
    "{% for i in range(9999) %}" + "{% if 1 %}a{% endif %}" * 600 + "{% endfor %}",
    "{% for i in range(9999) %}" + "{% set x = 1 %}" * 900 + "{% endfor %}",
    "{% macro m() %}" + "{% set x = 1 %}" * 900 + "{% endmacro %}{% for i in range(9999) %}{{ m() }}{% endfor %}",
    "{{ x }}" + "a" * 600_000,
    "{% for i in range(9999) if 'x' * 100000 == 'y' %}{% endfor %}",
    "{% macro m() %}{{ m() }}{{ m() }}{% endmacro %}{{ m() }}",
    "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(100) }}",
    "{% for a in [1] recursive %}{{ loop([1, 2]) }}{% endfor %}",
    DOUBLED,
    DOUBLED.replace("x ~ x", "x + x"),
    DOUBLED.replace("x ~ x", "x|replace('a', x)"),
    DOUBLED.replace("x ~ x", "[x, x]|join(x)"),
    "{% set x = [1] %}" + "{% set x = [x, x] %}" * 60 + "{{ x|string }}",
    "{% set x = [1] %}{% set y = [1] %}"
    + "{% set x = (x, x) %}{% set y = (y, y) %}" * 60
    + "{% if x == y %}{% endif %}",
    "{% set x %}aaaaaaaaaa{% endset %}" + "{% set x %}{{ x }}{{ x }}{% endset %}" * 60 + "{{ x }}",
    "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    "{{ " + "1 + " * 20000 + "1 }}",
    "{{ " + "not " * 20000 + "1 }}",
    "{{ " + "9" * 6000 + " }}",
    "{{ " + "[" * 2000 + "]" * 2000 + " }}",
]


@pytest.mark.parametrize("source", ENDLESS, ids=lambda source: source[:40])
def test_no_template_hangs_or_fills_the_memory(source: str) -> None:
    start = time.monotonic()
    with pytest.raises(Fault):
        rendered(source, {})
    assert time.monotonic() - start < 2


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (
            "{% for a in ['b', 'c'] %}{{ loop.index }}{{ a }}{% if not loop.last %}, {% endif %}{% endfor %}",
            "1b, 2c",
        ),
        ("{% for a, b in [('x', 'y'), ('z', 'w')] %}{{ a }}{{ b }}{% endfor %}", "xyzw"),
        ("{% macro m(a, b='!') %}<{{ a }}{{ b }}>{% endmacro %}{{ m('x') }}{{ m('y', b='?') }}", "<x!><y?>"),
        ("{% if x == 'text' %}\n  yes\n{% else %}\n  no\n{% endif %}\nend", "  yes\nend"),
        ("{{ x|upper }} {{ x|length }} {{ x|replace('t', 'T') }} {{ [3, 1]|sort|first }}", "TEXT 4 TexT 1"),
        ("{{ 2 * 3 + 4 }} {{ 7 % 4 }} {{ 'ab' * 2 }} {{ x[0] }} {{ x[1:3] }}", "10 3 abab t ex"),
        ("{% raw %}{{ x }}{% endraw %}", "{{ x }}"),
        ("{# a remark #}a\n\n", "a\n\n"),
        ("{{ range(3)|join('-') }}", "0-1-2"),
    ],
)
def test_the_ordinary_language_works(source: str, text: str) -> None:
    assert rendered(source, {"x": "text"}) == text


def test_braces_in_a_word_are_never_rendered_again() -> None:
    assert rendered("{{ x }}", {"x": "{{ 7 * 7 }} {0.__class__}"}) == "{{ 7 * 7 }} {0.__class__}"


@pytest.mark.parametrize(
    ("source", "line", "said"),
    [
        ("a\n\n{{ x y }}", 3, "can't be read"),
        ("a\n{% if x %}", 2, "can't be read"),
        ("a\n{{ missing }}", 2, "missing"),
        ("a\n\n\n{{ 1 / 0 }}", 4, "division by zero"),
        ("a\n{{ x|uper }}", 2, "no filter 'uper'"),
        ("a\n{{ x is odd_one }}", 2, "no test"),
    ],
)
def test_a_fault_names_the_templates_line(source: str, line: int, said: str) -> None:
    with pytest.raises(Fault) as caught:
        rendered(source, {"x": "text"})
    assert caught.value.line == line
    assert said in caught.value.what


@pytest.mark.parametrize(
    ("source", "spans"),
    [
        ("{{ signal.t }}", ((0, 1),)),
        ("ab {{ signal.t }} {{ signal.t }}", ((3, 4), (5, 6))),
        ("{% macro m(s) %}[{{ s }}]{% endmacro %}{{ m(signal.t) }}", ((1, 2),)),
        ("{% set s %}a{{ signal.t }}{% endset %}b{{ s }}", ((2, 3),)),
        ("{{ 'a' ~ signal.t }}", ((1, 2),)),
        ("{% for i in range(2) %}{{ signal.t }}{% endfor %}", ((0, 1), (1, 2))),
        ("{{ ['a', signal.t]|join }}", ((1, 2),)),
        ("{{ signal.t|upper }}", ()),
        ("{{ signal.t + 'a' }}", ((0, 1),)),
        ("{{ signal.t[0] }}", ()),
        ("{{ signal.t|length }}", ()),
        ("{% if signal.t %}a{% endif %}", ()),
    ],
)
def test_only_a_signal_written_out_as_it_stands_is_marked(source: str, spans: tuple[tuple[int, int], ...]) -> None:
    assert as_text(rendered(source, {"signal": {"t": signal("T")}})).signal == spans


pieces = st.lists(st.tuples(st.booleans(), st.text(max_size=5)), max_size=12)


@given(pieces)
def test_joining_keeps_every_mark_at_its_place(parts: list[tuple[bool, str]]) -> None:
    made = as_text(joined(signal(text) if marked else text for marked, text in parts))
    assert made.text == "".join(text for _, text in parts)
    assert [made.text[start:end] for start, end in made.signal] == [text for marked, text in parts if marked]
    assert type(made.text) is str


@given(pieces, st.text(max_size=3))
def test_joining_joined_texts_is_joining_their_parts(parts: list[tuple[bool, str]], between: str) -> None:
    marked = [signal(text) if is_signal else text for is_signal, text in parts]
    whole = as_text(joined([*marked, between, *marked]))
    assert whole == as_text(joined([joined(marked), between, joined(marked)]))
    unmarked = "".join(text for is_signal, text in parts if not is_signal)
    assert whole.without_signal() == unmarked + between + unmarked


def test_a_mask_stands_in_the_place_of_every_signal_even_an_empty_one() -> None:
    text = Text("a<T>bc", ((1, 4), (5, 5)))
    assert text.without_signal("_") == "a_b_c"


# fmt: off
TOKENS = [
    "x", "signal.t", "signal", "loop", "range(3)", "(", ")", "[", "]", "'a'", "1", "0", "*", "**", "+", "-",
    "~", "|", "upper", "join", "replace('a', 'b')", "not", "is", "odd", "set y =", "macro m()", "endmacro",
    "m()", "if", "else", "endif", "for i in", "endfor", ",", ":", "==", "raw", "endraw", "call", "do", ".",
    "__class__", "None", "include", "'p.jinja'", "1e308", "sum", "sort", "int", "float", "list", "with",
    "endwith",
]
# fmt: on
blocks = st.tuples(st.sampled_from(["{{ %s }}", "{%% %s %%}"]), st.lists(st.sampled_from(TOKENS), max_size=6))


@given(st.lists(blocks.map(lambda block: block[0] % " ".join(block[1])), max_size=4).map("".join))
def test_whatever_a_template_says_it_is_rendered_or_refused(source: str) -> None:
    with contextlib.suppress(Fault):
        assert isinstance(rendered(source, {"x": "text", "signal": {"t": signal("T")}}), str)
