// A small model through the C ABI: the same tokens give the same logits however they are decoded.
#include <cmath>
#include <cstdio>
#include <thread>

#include "model_fixture.h"

namespace {

using namespace test;

// Where products take long, and are the same for all columns.
bool is_slow() {
  const char* isa = std::getenv("NAUTIL_ISA");
  return test::kEmulated || (isa != nullptr && std::string_view(isa) == "scalar");
}

// Threads, the size of a pass and where a prompt is cut change no bit: the prompt crosses a chunk of attention.
void same_in_same_out(const OpenModel& m) {
  const std::vector<int32_t> prompt = tokens(is_slow() ? 1050 : 1500);
  const std::vector<float> expected = Run(m, 1, params(2048)).last(prompt);
  for (float l : expected) CHECK(std::isfinite(l));
  if (is_slow()) {
    CHECK(Run(m, 3, params(2048, 100)).last(prompt) == expected);
    return;
  }
  for (int n_threads : {2, 3, 5}) CHECK(Run(m, n_threads, params(2048)).last(prompt) == expected);
  for (int n_batch : {1, 7, 64, 1500}) CHECK(Run(m, 2, params(2048, n_batch)).last(prompt) == expected);
  for (size_t cut : {1u, 63u, 64u, 1025u}) {
    Run run(m, 3, params(2048));
    run.last({prompt.begin(), prompt.begin() + static_cast<ptrdiff_t>(cut)});
    CHECK(run.last({prompt.begin() + static_cast<ptrdiff_t>(cut), prompt.end()}) == expected);
  }
}

// Sequences read together: each gets what it gets alone.
void batch_mates_change_nothing(const OpenModel& m) {
  for (int n : {2, 5, 8}) {
    Run together(m, 2, params(256, 0, 8));
    std::vector<int32_t> all, seqs;
    std::vector<uint8_t> want;
    for (int s = 0; s < n; ++s) {
      for (int32_t t : tokens(10 + 7 * s, static_cast<unsigned>(s))) {
        all.push_back(t);
        seqs.push_back(s);
        want.push_back(0);
      }
      want.back() = 1;
    }
    CHECK_EQ(together.decode(all, seqs, want), NT_OK);
    for (int s = 0; s < n; ++s) {
      CHECK(together.logits(s) == Run(m, 2, params(256)).last(tokens(10 + 7 * s, static_cast<unsigned>(s))));
    }
  }
}

// The next token of 1 to 16 sequences in a pass: each gets what it gets alone.
void steps_of_many_sequences(const OpenModel& m) {
  constexpr int kMost = 16;
  std::vector<std::vector<int32_t>> prompts;
  std::vector<std::vector<float>> alone;
  for (int s = 0; s < kMost; ++s) {
    prompts.push_back(tokens(6 + 3 * s, static_cast<unsigned>(s)));
    alone.push_back(Run(m, 1, params(128)).last(prompts.back()));
  }
  for (int n = 1; n <= kMost; ++n) {
    Run run(m, 2, params(128, 0, kMost));
    std::vector<int32_t> last, seqs;
    for (int s = 0; s < n; ++s) {
      const std::vector<int32_t>& p = prompts[static_cast<size_t>(s)];
      CHECK_EQ(run.decode({p.begin(), p.end() - 1}, std::vector<int32_t>(p.size() - 1, s),
                          std::vector<uint8_t>(p.size() - 1, 0)),
               NT_OK);
      last.push_back(p.back());
      seqs.push_back(s);
    }
    CHECK_EQ(run.decode(last, seqs, std::vector<uint8_t>(last.size(), 1)), NT_OK);
    for (int s = 0; s < n; ++s) CHECK(run.logits(s) == alone[static_cast<size_t>(s)]);
  }
}

void interleaved_sequences(const OpenModel& m) {
  Run run(m, 2, params(256, 0, 2));
  const std::vector<int32_t> a = tokens(20, 1), b = tokens(20, 2);
  std::vector<int32_t> all, seqs;
  for (size_t i = 0; i < 20; ++i) {
    all.insert(all.end(), {a[i], b[i]});
    seqs.insert(seqs.end(), {0, 1});
  }
  std::vector<uint8_t> want(40, 0);
  want[38] = want[39] = 1;
  CHECK_EQ(run.decode(all, seqs, want), NT_OK);
  CHECK(run.logits(0) == Run(m, 1, params(256)).last(a));
  CHECK(run.logits(1) == Run(m, 1, params(256)).last(b));
}

void forks_and_rewinds(const OpenModel& m) {
  const std::vector<int32_t> prompt = tokens(200), x = tokens(5, 3), y = tokens(5, 4);
  const auto fresh = [&](const std::vector<int32_t>& tail) {
    std::vector<int32_t> all = prompt;
    all.insert(all.end(), tail.begin(), tail.end());
    return Run(m, 2, params(512)).last(all);
  };
  Run run(m, 2, params(512, 0, 2));
  run.last(prompt);
  CHECK_EQ(nt_seq_fork(run.context, 0, 1, 200, &run.error), NT_OK);
  CHECK(run.last(x, 1) == fresh(x));
  CHECK(run.last(y, 0) == fresh(y));
  CHECK_EQ(nt_seq_truncate(run.context, 0, 200, &run.error), NT_OK);
  CHECK(run.last(x, 0) == fresh(x));
  CHECK_EQ(nt_seq_fork(run.context, 0, 1, 10, &run.error), NT_INVALID_ARGUMENT);
}

// Another thread cancels a prefill that would take long.
void cancels_within_a_pass(const OpenModel& m) {
  Run run(m, 2, params(8192, 8192));
  const std::vector<int32_t> prompt = tokens(8000);
  alignas(4) int32_t flag = 0;
  std::thread canceller([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    __atomic_store_n(&flag, 1, __ATOMIC_RELAXED);
  });
  const nt_status status = run.decode(prompt, std::vector<int32_t>(8000, 0), std::vector<uint8_t>(8000, 0), &flag);
  canceller.join();
  CHECK_EQ(status, NT_CANCELLED);
  CHECK_EQ(nt_seq_length(run.context, 0), 0);
}

// A context that held much and holds little takes little memory, and computes what a new one does.
void memory_is_given_back(const OpenModel& m) {
  const int64_t token_bytes = 2 * kLayers * kKvHeads * (kv_type == NT_CACHE_F16 ? kHeadDim * 2 : kHeadDim / 32 * 34);
  const int64_t page_bytes = 64 * token_bytes;
  Run run(m, 2, params(2048, 0, 2));
  const std::vector<int32_t> prompt = tokens(2000);
  run.last(prompt, 0);
  run.last(prompt, 1);
  nt_context_info info{};
  nt_context_get_info(run.context, &info);
  CHECK_EQ(info.kv_type, kv_type);
  CHECK_EQ(info.kv_bytes_per_token, token_bytes);
  CHECK_EQ(info.kv_bytes, 64 * page_bytes);
  const int64_t before = nt_anonymous_memory();
  for (int seq : {0, 1}) CHECK_EQ(nt_seq_truncate(run.context, seq, 0, &run.error), NT_OK);
  const int64_t after = nt_anonymous_memory();
  nt_context_get_info(run.context, &info);
  CHECK_EQ(info.kv_bytes, 16 * page_bytes);
  CHECK(before == -1 || before - after > (64 - 16) / 2 * page_bytes);  // half: the system counts roughly
  CHECK(run.last(prompt, 1) == Run(m, 2, params(2048)).last(prompt));
}

// A BLAS helps with products alone, and rows are only looked up in embeddings that are not the output's too.
void float_weights(const OpenModel& tied) {
  ModelWriter w(8);
  w.writer()
      .tensor("output.weight", {kEmbd, kVocab}, 8, w.writer().data_size())
      .raw_data(std::string(kVocab * kEmbd / 32 * 34, '\0'));
  const OpenModel untied(w.writer().bytes());
  nt_model_info info{};
  nt_model_get_info(tied.model, &info);
  CHECK_EQ(info.has_float_weights, 1);
  CHECK(untied.model != nullptr);
  if (untied.model == nullptr) return;
  nt_model_get_info(untied.model, &info);
  CHECK_EQ(info.has_float_weights, 0);
}

// With an output head that is the identity, a token's first logits are its hidden state, to the bit.
void hidden_states() {
  std::string rows;
  for (int i = 0; i < kVocab * kEmbd; ++i) rows += GgufWriter::value(i / kEmbd == i % kEmbd ? 1.0f : 0.0f);
  ModelWriter w(8);
  w.writer().tensor("output.weight", {kEmbd, kVocab}, 0, w.writer().data_size()).raw_data(rows);
  const OpenModel m(w.writer().bytes());
  const std::vector<int32_t> prompt = tokens(70), zeros(70, 0);
  Run expected(m, 1, params(128)), run(m, 2, params(128, 16));
  CHECK_EQ(expected.decode(prompt, zeros, std::vector<uint8_t>(70, NT_WANT_LOGITS)), NT_OK);
  std::vector<double> total(kEmbd);
  for (int row = 0; row < 70; ++row) {
    const std::vector<float> logits = expected.logits(row);
    for (size_t i = 0; i < kEmbd; ++i) total[i] += static_cast<double>(logits[i]);
  }

  // Both kinds in one call of several passes.
  std::vector<uint8_t> want(70);
  for (size_t i = 0; i < 70; ++i) want[i] = static_cast<uint8_t>(i % 3);
  CHECK_EQ(run.decode(prompt, zeros, want), NT_OK);
  for (int row = 0; row < 23; ++row) {
    CHECK(run.logits(row) == expected.logits(3 * row + 1));
    std::vector<double> hidden;
    run.add_hidden(row, 1, &hidden);
    const std::vector<float> logits = expected.logits(3 * row + 2);
    CHECK(std::equal(hidden.begin(), hidden.end(), logits.begin()));
  }

  // Sums, however the text is cut.
  for (int part : {1, 17, 64, 70}) {
    Run parts(m, 2, params(128, 16));
    std::vector<double> sum;
    for (int first = 0; first < 70; first += part) {
      const int n = std::min(part, 70 - first);
      const auto begin = prompt.begin() + first;
      const auto count = static_cast<size_t>(n);
      CHECK_EQ(
          parts.decode({begin, begin + n}, std::vector<int32_t>(count, 0), std::vector<uint8_t>(count, NT_WANT_HIDDEN)),
          NT_OK);
      parts.add_hidden(0, n, &sum);
    }
    CHECK(sum == total);
  }
}

// The exact path is near the quantised one, and is another one.
void exact_path(const OpenModel& m) {
  nt_context_params exact = params(128);
  exact.exact = 1;
  const std::vector<float> a = Run(m, 2, params(128)).last(tokens(40)), b = Run(m, 2, exact).last(tokens(40));
  double difference = 0, norm = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    difference += std::pow(a[i] - b[i], 2);
    norm += std::pow(b[i], 2);
  }
  CHECK(difference > 0);
  CHECK(difference < 0.01 * norm);
}

// Logits over a cache in Q8_0 differ from those over one in F16, and by no more than its rounding explains. Of 32
// normal values the largest is some 2.1 deviations, so that rounding to steps of a 127th of it errs by 2.1 / 127 / √12
// = 0.5 % of a deviation, in keys and in values: √2 · 0.5 % in a layer, and 1 % in two, if all of the residual stream
// were attention's. Not in nats: these logits' deviation of 16 would be in them too; scripts/oracle does that.
void q8_is_near_f16(const OpenModel& m) {
  double difference = 0, norm = 0;
  for (unsigned seed = 1; seed <= (test::kEmulated ? 1u : 4u); ++seed) {
    nt_context_params f16 = params(512), q8 = params(512);
    f16.exact = q8.exact = 1;  // else both differ more from the exact result, each in its way
    q8.kv_type = NT_CACHE_Q8_0;
    const std::vector<int32_t> prompt = tokens(300, seed);
    const std::vector<float> a = Run(m, 2, f16).last(prompt), b = Run(m, 2, q8).last(prompt);
    for (size_t i = 0; i < a.size(); ++i) {
      difference += std::pow(a[i] - b[i], 2);
      norm += std::pow(a[i], 2);
    }
  }
  CHECK(difference > 0);
  CHECK(std::sqrt(difference / norm) < 0.01);
}

// Shapes that no model has but a file may: odd heads, no rotation, one token, rows that no vector divides.
void odd_shapes() {
  struct Shape {
    int vocab, embd, heads, kv_heads, head_dim, n_rot, ff;
  };
  constexpr int kTokens = test::kEmulated ? 110 : 1100;
  for (const Shape& c : {Shape{1, 6, 2, 1, 3, 2, 5}, Shape{2, 1, 1, 1, 2, 0, 1}, Shape{70, 33, 512, 1, 5, 4, 129},
                         Shape{3, 7, 3, 3, 511, 510, 17}}) {
    std::mt19937 random(5);
    std::uniform_real_distribution<float> uniform(-1, 1);
    GgufWriter w;
    const auto u32 = [&](const char* key, int value) { w.u32(key, static_cast<uint32_t>(value)); };
    const auto matrix = [&](const std::string& name, int rows, int cols) {
      std::string bytes;
      for (int i = 0; i < rows * cols; ++i) bytes += GgufWriter::value(uniform(random));
      w.tensor(name, {static_cast<uint64_t>(cols), static_cast<uint64_t>(rows)}, 0, w.data_size());
      w.raw_data(bytes).raw_data(std::string((32 - bytes.size() % 32) % 32, '\0'));
    };
    w.key("general.architecture", NT_KV_STRING, GgufWriter::string("llama"));
    w.key("llama.attention.layer_norm_rms_epsilon", NT_KV_FLOAT32, GgufWriter::value(1e-5f));
    u32("llama.context_length", 1 << 30);
    u32("llama.embedding_length", c.embd);
    u32("llama.block_count", 1);
    u32("llama.feed_forward_length", c.ff);
    u32("llama.attention.head_count", c.heads);
    u32("llama.attention.head_count_kv", c.kv_heads);
    u32("llama.attention.key_length", c.head_dim);
    u32("llama.rope.dimension_count", c.n_rot);
    matrix("token_embd.weight", c.vocab, c.embd);
    matrix("blk.0.attn_norm.weight", 1, c.embd);
    matrix("blk.0.attn_q.weight", c.heads * c.head_dim, c.embd);
    matrix("blk.0.attn_k.weight", c.kv_heads * c.head_dim, c.embd);
    matrix("blk.0.attn_v.weight", c.kv_heads * c.head_dim, c.embd);
    matrix("blk.0.attn_output.weight", c.embd, c.heads * c.head_dim);
    matrix("blk.0.ffn_norm.weight", 1, c.embd);
    matrix("blk.0.ffn_gate.weight", c.ff, c.embd);
    matrix("blk.0.ffn_up.weight", c.ff, c.embd);
    matrix("blk.0.ffn_down.weight", c.embd, c.ff);
    matrix("output_norm.weight", 1, c.embd);
    const OpenModel m(w.bytes());
    CHECK_EQ(std::string(m.error.message), "");
    if (m.model == nullptr) continue;
    nt_error e{};
    nt_pool* pool = nt_pool_new(1, &e);
    nt_context_params q8 = params(0);
    q8.kv_type = NT_CACHE_Q8_0;
    CHECK(nt_context_new(m.model, pool, &q8, &e) == nullptr);
    CHECK_EQ(e.status, NT_UNSUPPORTED);
    CHECK(std::string(e.message).find("heads of a multiple of 32 values") != std::string::npos);
    nt_pool_free(pool);
    const auto logits = [&](int n_threads, int n_batch) {
      Run run(m, n_threads, params(0, n_batch));
      std::vector<uint8_t> want(kTokens, 0);
      want.back() = 1;
      CHECK_EQ(run.decode(std::vector<int32_t>(kTokens, c.vocab - 1), std::vector<int32_t>(kTokens, 0), want), NT_OK);
      std::vector<float> out(static_cast<size_t>(c.vocab));
      CHECK_EQ(nt_get_logits(run.context, 0, out.data(), c.vocab, &run.error), NT_OK);
      for (float l : out) CHECK(std::isfinite(l));
      return out;
    };
    CHECK(logits(1, 1024) == logits(3, 100));
  }
}

}  // namespace

int main() {
  for (uint32_t type : kMatrixTypes) {
    with_model(type, [&](const OpenModel& m) {
      for (int32_t t : {NT_CACHE_F16, NT_CACHE_Q8_0}) {
        if (test::kEmulated && (t == NT_CACHE_Q8_0) != (type == 8)) continue;  // each once: emulation takes minutes
        kv_type = t;
        if (!test::kEmulated || type != 14) same_in_same_out(m);
        batch_mates_change_nothing(m);
        if (!test::kEmulated) steps_of_many_sequences(m);
        interleaved_sequences(m);
        forks_and_rewinds(m);
        cancels_within_a_pass(m);
        exact_path(m);
        if (type == 8) memory_is_given_back(m);
      }
      kv_type = NT_CACHE_F16;
      q8_is_near_f16(m);
      if (type == 8) float_weights(m);
    });
  }
  odd_shapes();
  hidden_states();
  return test::result();
}
