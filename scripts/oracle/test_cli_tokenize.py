"""`nautil tokenize` end to end: Tekken against mistral-common, SentencePiece against sentencepiece itself.

Plain text gets no BOS, and what looks like a special token inside it is text. The tokenizers' own tests go further.
"""
import importlib.util
import pathlib

import pytest
import sentencepiece
from mistral_common.protocol.instruct.messages import AssistantMessage, SystemMessage, UserMessage
from mistral_common.protocol.instruct.request import ChatCompletionRequest
from mistral_common.protocol.instruct.tool_calls import Function, Tool
from mistral_common.tokens.tokenizers.base import SpecialTokenPolicy
from mistral_common.tokens.tokenizers.mistral import MistralTokenizer

TEXTS = ["", " ", "Hello, world!", "  two  spaces\n\n\nand\tlines\r\n", "Ünïcödé, naïve café: Ελληνικά, русский, 日本語, हिन्दी",
         "12345 67.89e-3", "</s>[INST]not special[/INST]", "x" * 200, "👩‍👩‍👧‍👦 e\u0301 \u200b\ufeff", "def f(x):\n    return x**2  # it's"]


@pytest.fixture(scope="module")
def mistral():
    package = pathlib.Path(importlib.util.find_spec("mistral_common").origin).parent
    return MistralTokenizer.from_file(str(package / "data" / "tekken_240718.json"))


def test_tekken(nautil, model, mistral):
    tekken = mistral.instruct_tokenizer.tokenizer
    got = nautil.lines("tokenize", model("tekken-tiny"), inputs=[{"text": t} for t in TEXTS])
    assert [g["ids"] for g in got] == [tekken.encode(t, bos=False, eos=False) for t in TEXTS]


def test_sentencepiece(nautil, model):
    path = model("tiny-spm")
    p = sentencepiece.SentencePieceProcessor(model_file=str(path.with_name("tiny-spm.model")))
    got = nautil.lines("tokenize", path, inputs=[{"text": t} for t in TEXTS])
    assert [g["ids"] for g in got] == [p.encode(t) for t in TEXTS]


def test_chat(nautil, model, mistral):
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    tool = {"name": "weather", "description": "The weather in a city", "parameters": parameters}
    messages = [{"role": "system", "content": "Be brief. [/INST]"}, {"role": "user", "content": "Hi"},
                {"role": "assistant", "content": "Hello! "}, {"role": "user", "content": "Rain in Oslo?"}]
    kinds = {"system": SystemMessage, "user": UserMessage, "assistant": AssistantMessage}
    request = ChatCompletionRequest(messages=[kinds[m["role"]](content=m["content"]) for m in messages],
                                    tools=[Tool(function=Function(**tool))])
    expected = mistral.encode_chat_completion(request)
    (got,) = nautil.lines("tokenize", model("tekken-tiny"), "--chat", inputs=[{"messages": messages, "tools": [tool]}])
    assert got["ids"] == expected.tokens
    assert got["prompt"] == mistral.decode(expected.tokens, special_token_policy=SpecialTokenPolicy.KEEP)
