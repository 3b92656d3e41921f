"""Embeddings against llama.cpp's of the same texts: the cosine is at least 0.999."""
import llamacpp
import numpy as np
import pytest
import smollm2
from conftest import HERE

POOLINGS = {"mean": "MEAN", "first": "CLS", "last": "LAST"}
TEXTS = ["x", "Hello world", "Les trois couleurs du drapeau français sont le bleu, le blanc et le rouge.",
         "def fibonacci(n):\n    return n if n < 2 else fibonacci(n - 1) + fibonacci(n - 2)\n", "日本の首都は東京です。🗼",
         (HERE / "data" / "opticks.txt").read_text()[:6000]]  # in several steps
