"""What cannot run is refused by name: an exit code, one message for people, no stack trace and nothing on stdout."""
import pytest

COMPLETE = ("--tokens", "1,300", "--n-predict", "2", "--top", "2", "--json")


def refused(done, *words):
    assert done.returncode not in (0, 134, 139) and done.returncode > 0, done
    assert done.stdout == ""
    for word in words:
        assert word in done.stderr, f"{word!r} is not named in: {done.stderr}"
    for trace in ("Exception in thread", "\tat ", "Traceback", "SIGSEGV", "hs_err"):
        assert trace not in done.stderr, done.stderr
    assert 0 < len(done.stderr.strip().splitlines()) <= 6, done.stderr


@pytest.mark.parametrize("name, words", [
    ("bad-architecture", ["mamba"]),
    ("bad-experts", ["llama.expert_count"]),
    ("bad-unused-tensor", ["blk.0.attn_q_norm.weight"]),
    ("bad-rope-scaling", ["rope", "sideways"]),
    ("bad-missing-tensor", ["blk.1.ffn_up.weight"]),
    ("bad-truncated", []),
    ("bad-magic", []),
])
def test_bad_models(nautil, model, name, words):
    path = model(name)
    refused(nautil.run("complete", path, *COMPLETE), path.name, *words)


def test_missing_part(nautil, model, tmp_path):
    first = model("tiny-split")
    for part in (1, 2):
        name = first.name.replace("00001-of", f"0000{part}-of")
        (tmp_path / name).symlink_to(first.with_name(name))
    refused(nautil.run("complete", tmp_path / first.name, *COMPLETE), "00003-of-00003")


def test_missing_file(nautil, tmp_path):
    refused(nautil.run("complete", tmp_path / "absent.gguf", *COMPLETE), "absent.gguf")


@pytest.mark.parametrize("options", [
    ("--tokens", "1,2048", "--n-predict", "1"),  # one past the vocabulary
    ("--tokens", "1,-1", "--n-predict", "1"),
    ("--tokens", "1,x", "--n-predict", "1"),
    ("--tokens", "1", "--n-predict", "many"),
    ("--tokens", "1", "--n-predict", "5000"),  # more than the context of 4096
    ("--no-such-option",),
])
def test_bad_arguments(nautil, model, options):
    refused(nautil.run("complete", model("tiny-Q4_K"), *options, "--json"))


def test_bad_tensor_name(nautil, model):
    refused(nautil.run("inspect", model("tiny-Q4_K"), "--json", "--tensor", "blk.9.nothing", "--rows", "0:1"), "blk.9.nothing")
