"""`nautil template` against jinja2, set up as transformers does it. The template engine's own tests go further."""
import datetime
import json

import jinja2
import jinja2.ext
import jinja2.sandbox

NOW = "2025-03-07T09:05:03"
CONTEXT = {"messages": [{"role": "user", "content": " Hé <b> \"q\" "}, {"role": "assistant", "content": None}],
           "bos_token": "<s>", "add_generation_prompt": True, "numbers": [3, 1.0, -2], "nested": {"b": [True], "a": {}}}
TEMPLATES = [
    "{{ bos_token }}{% for m in messages %}[{{ m.role|upper }}] {{ m['content'] | trim }}\n{% endfor %}",
    "  {% if add_generation_prompt %}\n  yes\n  {% endif %}\n{{- numbers|sort|join(', ') }}|{{ numbers[-1:] }}",
    "{{ nested | tojson }} {{ nested | tojson(indent=2) }} {{ messages[0].content | tojson }}",
    "{% set ns = namespace(n=0) %}{% for x in numbers if x > 0 %}{% set ns.n = ns.n + x %}{% endfor %}{{ ns.n }}",
    "{% macro f(a, b='z') %}<{{ a }}{{ b }}>{% endmacro %}{{ f(1) }}{{ f(2, b=none) }}{{ missing is defined }}",
    "{{ strftime_now('%d %B %Y, %H:%M') }}",
    "{{ raise_exception('no ' ~ numbers|length) }}",
    "{% for %}",
]


def environment():
    def fail(message):
        raise jinja2.TemplateError(message)

    def tojson(x, ensure_ascii=False, indent=None, separators=None, sort_keys=False):
        return json.dumps(x, ensure_ascii=ensure_ascii, indent=indent, separators=separators, sort_keys=sort_keys)

    env = jinja2.sandbox.ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True,
                                                       extensions=[jinja2.ext.loopcontrols])
    env.filters["tojson"] = tojson
    env.globals["raise_exception"] = fail
    env.globals["strftime_now"] = datetime.datetime.fromisoformat(NOW).strftime
    return env


def render(template, context):
    try:
        return {"output": environment().from_string(template).render(**context)}
    except jinja2.TemplateError as e:
        return {"error": str(e)}


def test_templates(nautil):
    got = nautil.lines("template", "--now", NOW, inputs=[{"template": t, "context": CONTEXT} for t in TEMPLATES])
    for template, ours in zip(TEMPLATES, got):
        expected = render(template, CONTEXT)
        assert ours.keys() == expected.keys(), (template, ours)
        assert ours.get("output") == expected.get("output"), template
        if "raise_exception" in template:
            assert "no 3" in ours["error"]
