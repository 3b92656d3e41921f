"""Runs llama.cpp (PyPI's xllamacpp) on one model in a process of its own, for it logs to standard output and its
threads outlive it. As a script: llamacpp.py MODEL [POOLING], requests as JSON lines on standard input, answers as JSON
lines; with a pooling (MEAN, CLS, LAST), for embeddings."""
import json
import os
import subprocess
import sys


def complete(model, requests):
    """requests: [{"prompt": text or token ids, "n_predict", "top"}]. Greedy, and never ended early.

    An answer is {"text", "tokens", "steps": [{"id", "logprob", "top": [[id, logprob], …]}]}.
    """
    return run([model], requests)


def distributions(model, requests):
    """requests: [{"prompt": token ids, "sampling": parameters of llama.cpp's server, or None}].

    An answer is about the token after the prompt: [[id, probability], …] after sampling, or, for None, [[id, logprob],
    …] before it.
    """
    return run([model], requests)


def embed(model, pooling, texts):
    """A vector of length 1 for each text. pooling: "MEAN", "CLS" (the first token) or "LAST"."""
    return run([model, pooling], [{"input": [t]} for t in texts])


def run(arguments, requests):
    lines = "".join(json.dumps(r) + "\n" for r in requests)
    done = subprocess.run([sys.executable, __file__, *map(str, arguments)], input=lines, text=True, capture_output=True,
                          timeout=600)
    if done.returncode:
        raise RuntimeError(f"llama.cpp failed on {arguments[0]}:\n{done.stderr[-4000:]}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def parsed(answer):
    return json.loads(answer) if isinstance(answer, (str, bytes)) else answer


def vector(server, request):
    return parsed(server.handle_embeddings(request))["data"][0]["embedding"]


# Every sampler off: the server's defaults are not.
NEUTRAL = {"temperature": 1, "top_k": 0, "top_p": 1, "min_p": 0, "typical_p": 1, "repeat_penalty": 1, "seed": 1}
ALL = 1 << 20  # tokens: more than any vocabulary has


def distribution(server, request):
    after = request["sampling"] is not None
    r = parsed(server.handle_completions({"prompt": request["prompt"], "n_predict": 1, "n_probs": ALL,
                                          "cache_prompt": False, "post_sampling_probs": after, **NEUTRAL,
                                          **(request["sampling"] or {})}))
    if "choices" not in r:
        raise SystemExit(f"llama.cpp refused {request['sampling']}: {r}")
    step = r["choices"][0]["logprobs"]["content"][0]
    if after:
        return [[t["id"], t["prob"]] for t in step["top_probs"]]
    return [[t["id"], t["logprob"]] for t in step["top_logprobs"]]


def completion(server, request):
    if "sampling" in request:
        return distribution(server, request)
    r = server.handle_completions({"prompt": request["prompt"], "n_predict": request["n_predict"], "temperature": 0,
                                   "ignore_eos": True, "n_probs": request["top"], "cache_prompt": False})
    choice = parsed(r)["choices"][0]
    if not choice.get("logprobs"):
        raise SystemExit("llama.cpp returned no log-probabilities: its output was not valid UTF-8")
    steps = [{"id": s["id"], "logprob": s["logprob"], "top": [[t["id"], t["logprob"]] for t in s["top_logprobs"]]}
             for s in choice["logprobs"]["content"]]
    return {"text": choice["text"], "tokens": [s["id"] for s in steps], "steps": steps}


def main():
    out = os.dup(1)
    os.dup2(2, 1)
    import xllamacpp
    p = xllamacpp.CommonParams()
    p.model.path = sys.argv[1]
    p.n_ctx = 4096
    answer = completion
    if len(sys.argv) > 2:
        p.embedding, p.pooling_type = True, xllamacpp.llama_pooling_type[f"LLAMA_POOLING_TYPE_{sys.argv[2]}"]
        p.n_batch = p.n_ubatch = p.n_ctx  # a text that is pooled is decoded in one piece there
        answer = vector
    p.n_parallel = 1
    p.warmup = False
    # One thread: two of them spin, and on a busy machine that makes llama.cpp ten times slower.
    p.cpuparams.n_threads = p.cpuparams_batch.n_threads = 1
    server = xllamacpp.Server(p)
    for line in sys.stdin:
        os.write(out, (json.dumps(answer(server, json.loads(line))) + "\n").encode())
    os._exit(0)


if __name__ == "__main__":
    main()
