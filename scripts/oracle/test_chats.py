"""Mistral's chat format against mistral-common on random conversations, to the token id.

scripts/fixtures/chat_cases.py has chosen ones; here are many more, of texts, JSON and orders that nobody chose.
"""
import importlib.util
import json
import pathlib
import random

import chat_cases
import pytest
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

CONVERSATIONS = 500

# Of these blocks, where categories, cases, combining marks and writing directions meet; without surrogates.
BLOCKS = [(0x20, 0x7F), (0x00, 0x20), (0x7F, 0x250), (0x300, 0x370), (0x370, 0x530), (0x590, 0x700), (0x900, 0xE80),
          (0x1100, 0x1200), (0x2000, 0x2070), (0x2190, 0x2800), (0x3000, 0x3100), (0x4E00, 0x9FFF), (0xAC00, 0xD7A4),
          (0xFE00, 0x10000), (0x1D400, 0x1D800), (0x1F300, 0x1FB00), (0x20000, 0x20100), (0xE0000, 0xE0080)]
MARKERS = ["<unk>", "<s>", "</s>", "[INST]", "[/INST]", "[AVAILABLE_TOOLS]", "[/AVAILABLE_TOOLS]", "[TOOL_RESULTS]",
           "[/TOOL_RESULTS]", "[TOOL_CALLS]", "<pad>", "[PREFIX]", "[MIDDLE]", "[SUFFIX]", "<SPECIAL_20>", "[/INST]</s>[INST]"]
WORDS = "the of model weather Oslo don't I'm naïve Straße d'été 2024 3.14 x1 HTTPServer foo_bar 東京 привет".split()
GAPS = [" ", " ", " ", "", "\n", "\n\n", "  ", "\t", ", ", ". ", "\r\n"]


def characters(r, longest):
    low, high = r.choice(BLOCKS)
    return "".join(chr(r.randrange(low, high)) for _ in range(r.randint(1, longest)))


def text(r, empty=0.0):
    if r.random() < empty:
        return ""
    parts = []
    for _ in range(r.choice([1, 2, 5, 20])):
        parts.append(r.choices([r.choice(WORDS), characters(r, 6), r.choice(MARKERS)], [6, 3, 1])[0] + r.choice(GAPS))
    return "".join(parts)


def number(r):
    return r.choice([r.randint(-20, 20), r.getrandbits(r.choice([31, 53, 64, 200])), r.random(), r.uniform(-1, 1) * 10.0 **
                     r.randint(-320, 305), float(r.randint(-10**6, 10**6)), 10.0**r.randint(10, 25), -0.0])


def value(r, depth=3):
    kinds = [lambda: text(r, 0.2), lambda: number(r), lambda: r.choice([True, False, None])]
    if depth:
        kinds += [lambda: [value(r, depth - 1) for _ in range(r.randint(0, 3))], lambda: members(r, depth)]
    return r.choice(kinds)()


def members(r, depth):
    return {text(r, 0.1): value(r, depth - 1) for _ in range(r.randint(0, 3))}


def result(r):
    """JSON in any spelling, something that is nearly JSON, or text."""
    spelled = json.dumps(value(r), ensure_ascii=r.random() < 0.5, indent=r.choice([None, None, 2]),
                         separators=r.choice([None, (",", ":"), (" , ", " : ")]))
    at = r.randint(0, len(spelled))
    return r.choices([spelled, spelled[:at] + r.choice([",", "}", "\n", " x", "'"]) + spelled[at:], text(r, 0.1),
                      r.choice(chat_cases.RESULTS)], [4, 1, 3, 1])[0]


def schema(r, depth=2):
    said = {"type": r.choice(["string", "number", "integer", "boolean", "null"]), "description": text(r, 0.2)}
    if r.random() < 0.3:
        said |= {r.choice(["default", "const"]): value(r), "enum": [value(r, 1)]}
    if depth and r.random() < 0.4:
        said = {"properties": {text(r): schema(r, depth - 1) for _ in range(r.randint(0, 3))}, "required": [],
                "type": "object", "additionalProperties": schema(r, 0)}
    return dict(r.sample(list(said.items()), len(said)))


def tool(r, name):
    return {"name": name, "description": text(r, 0.2),
            "parameters": {"type": "object", "properties": {text(r): schema(r) for _ in range(r.randint(0, 3))}}}


def call(r, names):
    return {"id": chat_cases.identifier(r), "name": r.choice(names), "arguments": members(r, 3)}


def conversation(r):
    """In any order that the format can hold: several messages of one side, calls that follow on results, none."""
    tools = [tool(r, name) for name in r.sample(["f", "get-it", "a_B9", "7", "t" * 64], r.choice([0, 0, 1, 2, 5]))]
    # What is called need not be offered any more.
    names = [t["name"] for t in tools] + ["forgotten"]
    messages, say = [], lambda role, empty=0.0: messages.append({"role": role, "content": text(r, empty)})
    for turn in range(r.randint(1, 5)):
        for _ in range(0 if turn else r.choice([0, 1, 2])):
            say("system", 0.1)
        for _ in range(r.choice([1, 1, 1, 3])):
            say("user", 0.05)
            if r.random() < 0.15:
                say("system")
        for _ in range(r.choice([0, 0, 1, 2])):
            calls = [call(r, names) for _ in range(r.choice([1, 1, 2, 4]))]
            messages.append({"role": "assistant", "tool_calls": calls})
            messages += [{"role": "tool", "tool_call_id": c["id"], "name": c["name"], "content": result(r)}
                         for c in r.sample(calls, len(calls))]
        for _ in range(r.choice([0, 1, 1, 2])):
            say("assistant")
    while messages[-1]["role"] == "assistant":
        messages.pop()
    return {"tools": tools, "messages": messages}


@pytest.fixture(scope="module")
def cases():
    package = pathlib.Path(importlib.util.find_spec("mistral_common").origin).parent
    mistral = MistralTokenizer.from_file(str(package / "data" / "tekken_240718.json"), mode="serving")
    r = random.Random(240718)
    return [chat_cases.answer(mistral, conversation(r)) for _ in range(CONVERSATIONS)]


def test_random_chats(nautil, model, cases):
    answers = nautil.lines("tokenize", model("tekken-tiny"), "--chat", inputs=cases)
    for case, answer in zip(cases, answers):
        assert answer.get("prompt", answer) == case["prompt"]
        assert answer["ids"] == case["ids"], case["prompt"]
