// A small model through the C ABI: the same tokens give the same logits however they are decoded, and a call that fails
// leaves everything as it was.
#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <random>
#include <thread>

#include "check.h"
#include "gguf_writer.h"
#include "model/forward.h"
#include "nautil.h"

namespace {

using test::GgufWriter;

constexpr int kVocab = 301, kEmbd = 256, kFf = 512, kHeads = 4, kKvHeads = 2, kHeadDim = 64, kLayers = 2;

// ------------------------------------------------------------------------------------------------- a model to test

class ModelWriter {
 public:
  explicit ModelWriter(uint32_t matrix_type) : matrix_type_(matrix_type) {
    const auto text = [&](const char* key, const char* value) { w_.key(key, NT_KV_STRING, GgufWriter::string(value)); };
    text("general.architecture", "llama");
    w_.u32("llama.context_length", 8192).u32("llama.embedding_length", kEmbd).u32("llama.block_count", kLayers);
    w_.u32("llama.feed_forward_length", kFf).u32("llama.attention.head_count", kHeads);
    w_.u32("llama.attention.head_count_kv", kKvHeads).u32("llama.rope.dimension_count", kHeadDim);
    w_.key("llama.attention.layer_norm_rms_epsilon", NT_KV_FLOAT32, GgufWriter::value(1e-5f));
    floats("token_embd.weight", kVocab, kEmbd, 1);
    for (int i = 0; i < kLayers; ++i) {
      const std::string b = "blk." + std::to_string(i) + ".";
      floats(b + "attn_norm.weight", 1, kEmbd, 0);
      matrix(b + "attn_q.weight", kHeads * kHeadDim, kEmbd);
      matrix(b + "attn_k.weight", kKvHeads * kHeadDim, kEmbd);
      matrix(b + "attn_v.weight", kKvHeads * kHeadDim, kEmbd);
      matrix(b + "attn_output.weight", kEmbd, kHeads * kHeadDim);
      floats(b + "ffn_norm.weight", 1, kEmbd, 0);
      matrix(b + "ffn_gate.weight", kFf, kEmbd);
      matrix(b + "ffn_up.weight", kFf, kEmbd);
      matrix(b + "ffn_down.weight", kEmbd, kFf);
    }
    floats("output_norm.weight", 1, kEmbd, 0);
  }

  GgufWriter& writer() { return w_; }

 private:
  void add(const std::string& name, int rows, int cols, uint32_t type, const std::string& bytes) {
    const auto r = static_cast<uint64_t>(rows), c = static_cast<uint64_t>(cols);
    w_.tensor(name, rows == 1 ? std::vector<uint64_t>{c} : std::vector<uint64_t>{c, r}, type, w_.data_size());
    w_.raw_data(bytes).raw_data(std::string((32 - bytes.size() % 32) % 32, '\0'));
  }

  // Ones, or normal values.
  void floats(const std::string& name, int rows, int cols, float deviation) {
    std::normal_distribution<float> normal(0, 1);
    std::string bytes;
    for (int i = 0; i < rows * cols; ++i)
      bytes += GgufWriter::value(deviation == 0 ? 1.0f : deviation * normal(random_));
    add(name, rows, cols, 0, bytes);
  }

  // Random blocks of Q8_0 (8), Q4_K (12) or Q6_K (14), with deviations of about 0.1.
  void matrix(const std::string& name, int rows, int cols) {
    const auto raw = [&](int n) {
      std::string bytes;
      for (int i = 0; i < n; ++i) bytes += static_cast<char>(random_());
      return bytes;
    };
    const auto half = [](uint16_t bits) { return GgufWriter::value(bits); };
    std::string bytes;
    if (matrix_type_ == 8) {
      for (int i = 0; i < rows * cols / 32; ++i) bytes += half(0x1400) + raw(32);  // 2⁻¹⁰
    } else if (matrix_type_ == 12) {
      for (int i = 0; i < rows * cols / 256; ++i) bytes += half(0x0c00) + half(0x1800) + raw(140);  // 2⁻¹², 2⁻⁹
    } else {
      for (int i = 0; i < rows * cols / 256; ++i) bytes += raw(208) + half(0x0400);  // 2⁻¹⁴
    }
    add(name, rows, cols, matrix_type_, bytes);
  }

  uint32_t matrix_type_;
  std::mt19937 random_{7};
  GgufWriter w_;
};

// Rotations' frequencies divided by 2, but for the sixth.
ModelWriter with_rope_factors(float sixth) {
  std::string factors;
  for (int i = 0; i < kHeadDim / 2; ++i) factors += GgufWriter::value(i == 5 ? sixth : 2.0f);
  ModelWriter w(8);
  w.writer().tensor("rope_freqs.weight", {kHeadDim / 2}, 0, w.writer().data_size()).raw_data(factors);
  return w;
}

// A model opened from a temporary file that is gone again.
class OpenModel {
 public:
  explicit OpenModel(uint32_t matrix_type) : OpenModel(ModelWriter(matrix_type).writer().bytes()) {}
  explicit OpenModel(const std::string& bytes) {
    char path[] = "/tmp/nautil-model-XXXXXX";
    const int fd = mkstemp(path);
    std::ofstream(path, std::ios::binary) << bytes;
    nt_file* file = nt_file_open(path, 0, &error);
    if (file != nullptr) model = nt_model_new(file, &error);
    nt_file_close(file);  // the model keeps what it needs
    close(fd);
    unlink(path);
  }
  ~OpenModel() { nt_model_free(model); }

  nt_model* model = nullptr;
  nt_error error{};
};

class Run {
 public:
  Run(const OpenModel& m, int n_threads, nt_context_params params) {
    nt_error e{};
    pool_ = nt_pool_new(n_threads, &e);
    context = nt_context_new(m.model, pool_, &params, &e);
    CHECK(context != nullptr);
  }
  ~Run() {
    nt_context_free(context);
    nt_pool_free(pool_);
  }

  nt_status decode(const std::vector<int32_t>& tokens, const std::vector<int32_t>& seqs,
                   const std::vector<uint8_t>& want, const int32_t* cancel = nullptr) {
    std::vector<int32_t> positions, next(16, -1);
    for (size_t i = 0; i < tokens.size(); ++i) {
      int32_t& p = next[static_cast<size_t>(seqs[i])];
      if (p < 0) p = nt_seq_length(context, seqs[i]);
      positions.push_back(p++);
    }
    return nt_decode(context, static_cast<int32_t>(tokens.size()), tokens.data(), seqs.data(), positions.data(),
                     want.data(), cancel, &error);
  }

  // Decodes tokens of one sequence and gives the logits of the last.
  std::vector<float> last(const std::vector<int32_t>& tokens, int seq = 0) {
    std::vector<uint8_t> want(tokens.size(), 0);
    want[tokens.size() - 1] = 1;
    CHECK_EQ(decode(tokens, std::vector<int32_t>(tokens.size(), seq), want), NT_OK);
    return logits(0);
  }

  // Adds n rows of hidden states to sums of them.
  void add_hidden(int first, int n, std::vector<double>* sum) {
    sum->resize(kEmbd);
    CHECK_EQ(nt_add_hidden(context, first, n, sum->data(), kEmbd, &error), NT_OK);
  }

  std::vector<float> logits(int row) {
    std::vector<float> out(kVocab);
    CHECK_EQ(nt_get_logits(context, row, out.data(), kVocab, &error), NT_OK);
    return out;
  }

  nt_context* context;
  nt_error error{};

 private:
  nt_pool* pool_;
};

// Of all contexts, until the next one is tested.
int32_t kv_type = NT_CACHE_F16;

nt_context_params params(int n_ctx, int n_batch = 0, int n_seq = 1) {
  nt_context_params p{};
  p.kv_type = kv_type;
  p.n_ctx = n_ctx;
  p.n_batch = n_batch;
  p.n_seq_max = n_seq;
  return p;
}

std::vector<int32_t> tokens(int n, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::vector<int32_t> out;
  for (int i = 0; i < n; ++i) out.push_back(static_cast<int32_t>(random() % kVocab));
  return out;
}

// ----------------------------------------------------------------------------------------------------------- tests

// Threads, the size of a pass and where a prompt is cut change no bit: the prompt crosses a chunk of attention.
void same_in_same_out(const OpenModel& m) {
  const std::vector<int32_t> prompt = tokens(test::kEmulated ? 1050 : 1500);
  const std::vector<float> expected = Run(m, 1, params(2048)).last(prompt);
  for (float l : expected) CHECK(std::isfinite(l));
  if (test::kEmulated) {
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

// Saves all of a sequence in blocks of block_tokens.
std::vector<std::vector<uint8_t>> save(Run& run, int seq, int block_tokens) {
  std::vector<std::vector<uint8_t>> blocks;
  const int n = nt_seq_length(run.context, seq);
  for (int first = 0; first < n; first += block_tokens) {
    const int count = std::min(block_tokens, n - first);
    blocks.emplace_back(static_cast<size_t>(nt_seq_saved_bytes(run.context, count)));
    const auto bytes = static_cast<int64_t>(blocks.back().size());
    CHECK_EQ(nt_seq_save(run.context, seq, first, count, blocks.back().data(), bytes, &run.error), NT_OK);
  }
  return blocks;
}

nt_status load(Run& run, int seq, const std::vector<uint8_t>& block) {
  return nt_seq_load(run.context, seq, block.data(), static_cast<int64_t>(block.size()), &run.error);
}

// What was saved goes on in another context as it would have here, and is the sequence's alone.
void saved_sequences_go_on(const OpenModel& m) {
  const std::vector<int32_t> other = tokens(128, 9), more = tokens(5, 3);
  for (int n : {1, 63, 64, 65, 200}) {
    Run run(m, 2, params(512, 0, 2));
    run.last(other);  // its page is used again
    CHECK_EQ(nt_seq_truncate(run.context, 0, 0, &run.error), NT_OK);
    run.last(tokens(n));
    Run fresh(m, 2, params(512, 0, 2));
    fresh.last(tokens(n));
    const auto blocks = save(run, 0, 128);
    CHECK(blocks == save(fresh, 0, 128));
    Run restored(m, 1, params(256, 0, 3));
    for (const auto& block : blocks) CHECK_EQ(load(restored, 2, block), NT_OK);
    CHECK_EQ(nt_seq_length(restored.context, 2), n);
    CHECK(save(restored, 2, 128) == blocks);
    CHECK_EQ(nt_seq_fork(restored.context, 2, 0, n, &restored.error), NT_OK);
    const std::vector<float> expected = run.last(more);
    CHECK(restored.last(more, 0) == expected);
    CHECK(restored.last(more, 2) == expected);
  }
}

void blocks_are_checked(const OpenModel& m) {
  Run run(m, 2, params(256, 0, 2));
  run.last(tokens(200));
  const auto blocks = save(run, 0, 128);
  const auto refused = [&](const std::vector<uint8_t>& block, nt_status status) {
    const int before = nt_seq_length(run.context, 1);
    CHECK_EQ(load(run, 1, block), status);
    CHECK_EQ(nt_seq_length(run.context, 1), before);
  };
  refused(blocks[1], NT_FORMAT);  // not what comes next
  for (size_t n = 1; n < blocks[0].size(); n += n < 64 ? 1 : 997) {
    refused({blocks[0].begin(), blocks[0].begin() + static_cast<ptrdiff_t>(n)}, NT_FORMAT);
  }
  for (size_t at = 0; at < 40; ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::vector<uint8_t> block = blocks[0];
      block[at] ^= static_cast<uint8_t>(1 << bit);
      const nt_status status = load(run, 1, block);
      const int loaded = nt_seq_length(run.context, 1);
      // Of the header, the number of tokens alone can be another, if they take as many pages.
      CHECK(status == NT_OK ? at / 4 == 32 / 4 && loaded > 64 && loaded < 128 : status == NT_FORMAT && loaded == 0);
      CHECK_EQ(nt_seq_truncate(run.context, 1, 0, &run.error), NT_OK);
    }
  }
  CHECK_EQ(load(run, 1, blocks[0]), NT_OK);
  refused(blocks[0], NT_FORMAT);
  CHECK_EQ(load(run, 1, blocks[1]), NT_OK);
  refused(blocks[1], NT_FORMAT);  // nothing comes after a page that is not full

  Run small(m, 1, params(128));
  CHECK_EQ(load(small, 0, blocks[0]), NT_OK);
  CHECK_EQ(load(small, 0, blocks[1]), NT_CONTEXT_FULL);
  CHECK_EQ(nt_seq_length(small.context, 0), 128);

  std::vector<uint8_t> out(static_cast<size_t>(nt_seq_saved_bytes(run.context, 200)));
  const auto save_status = [&](int seq, int first, int n, size_t room) {
    return nt_seq_save(run.context, seq, first, n, out.data(), static_cast<int64_t>(room), &run.error);
  };
  CHECK_EQ(save_status(0, 0, 200, out.size()), NT_OK);
  CHECK_EQ(save_status(0, 0, 200, out.size() - 1), NT_INVALID_ARGUMENT);
  for (auto [first, n] : {std::pair(1, 64), {-64, 64}, {0, 201}, {192, 9}, {0, 0}, {0, -1}, {64, INT32_MAX}}) {
    CHECK_EQ(save_status(0, first, n, out.size()), NT_INVALID_ARGUMENT);
  }
  CHECK_EQ(save_status(2, 0, 64, out.size()), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_seq_load(run.context, 0, out.data(), -1, &run.error), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_seq_saved_bytes(run.context, 0), -1);
  CHECK_EQ(nt_seq_saved_bytes(run.context, INT32_MAX), -1);
}

// Whatever keys and values a block has, a context only computes with them.
void keys_that_are_no_numbers(const OpenModel& m) {
  Run run(m, 2, params(256, 0, 2));
  const std::vector<float> expected = run.last(tokens(100));
  auto block = save(run, 0, 128)[0];
  std::mt19937 random(1);
  for (int fill : {0xff, 0x7c, -1}) {
    for (size_t i = 40; i < block.size(); ++i) block[i] = static_cast<uint8_t>(fill < 0 ? random() : unsigned(fill));
    CHECK_EQ(load(run, 1, block), NT_OK);
    run.last({1}, 1);
    CHECK_EQ(nt_seq_truncate(run.context, 1, 0, &run.error), NT_OK);
  }
  CHECK(run.last(tokens(100), 1) == expected);
}

void fingerprints(const OpenModel& m) {
  const uint64_t ours = nt_model_fingerprint(m.model);
  CHECK(nt_model_fingerprint(OpenModel(8).model) == ours);
  CHECK(nt_model_fingerprint(OpenModel(12).model) != ours);
  ModelWriter renamed(8);
  renamed.writer().key("general.name", NT_KV_STRING, GgufWriter::string("another"));
  CHECK(nt_model_fingerprint(OpenModel(renamed.writer().bytes()).model) != ours);
  std::string trained = ModelWriter(8).writer().bytes();
  trained.back() ^= 1;
  CHECK(nt_model_fingerprint(OpenModel(trained).model) != ours);
}

void failures_change_nothing(const OpenModel& m) {
  Run run(m, 2, params(128));
  const std::vector<int32_t> prompt = tokens(60), more = tokens(10, 2);
  run.last(prompt);

  const int32_t stop = 1;
  CHECK_EQ(run.decode(more, std::vector<int32_t>(10, 0), std::vector<uint8_t>(10, 1), &stop), NT_CANCELLED);
  CHECK_EQ(nt_seq_length(run.context, 0), 60);
  std::vector<float> none(kVocab);
  CHECK_EQ(nt_get_logits(run.context, 0, none.data(), kVocab, &run.error), NT_INVALID_ARGUMENT);

  const std::vector<int32_t> many = tokens(69, 3);
  CHECK_EQ(run.decode(many, std::vector<int32_t>(69, 0), std::vector<uint8_t>(69, 0)), NT_CONTEXT_FULL);
  CHECK_EQ(run.error.used, 60);
  CHECK_EQ(run.error.wanted, 69);
  CHECK_EQ(run.error.capacity, 128);
  CHECK_EQ(nt_seq_length(run.context, 0), 60);

  CHECK_EQ(run.decode({kVocab}, {0}, {1}), NT_INVALID_ARGUMENT);
  CHECK_EQ(run.decode({-1}, {0}, {1}), NT_INVALID_ARGUMENT);
  const int32_t token = 1, seq = 5, zero = 0, position = 7;
  const uint8_t want = 1;
  CHECK_EQ(nt_decode(run.context, 1, &token, &seq, &zero, &want, nullptr, &run.error), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_decode(run.context, 1, &token, &zero, &position, &want, nullptr, &run.error), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_decode(run.context, 0, &token, &zero, &position, &want, nullptr, &run.error), NT_INVALID_ARGUMENT);

  std::vector<int32_t> all = prompt;
  all.insert(all.end(), more.begin(), more.end());
  CHECK(run.last(more) == Run(m, 1, params(128)).last(all));
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

// A call that is refused leaves no logits of an earlier one to be taken for its own.
void refusal_drops_logits(const OpenModel& m) {
  Run run(m, 1, params(128));
  run.last(tokens(5));
  CHECK_EQ(run.decode({kVocab}, {0}, {1}), NT_INVALID_ARGUMENT);
  std::vector<float> none(kVocab);
  CHECK_EQ(nt_get_logits(run.context, 0, none.data(), kVocab, &run.error), NT_INVALID_ARGUMENT);
}

// A flag that is set only for a moment, while a stage leaves its work undone.
void cancelling_is_final() {
  class Flicker final : public nt::Executor {
   public:
    int32_t flag = 0;

   private:
    const nt::Step* step_ = nullptr;
    void allocate_page(int32_t) override {}
    void release_page(int32_t) noexcept override {}
    void copy_page(int32_t, int32_t) override {}
    size_t page_bytes() const override { return 0; }
    void read_page(int32_t, int, uint8_t*) const override {}
    void write_page(int32_t, const uint8_t*) override {}
    void begin(const nt::Step& step) override { step_ = &step; }
    void gather(const nt::Tensor&) override {}
    void qkv(const nt::Layer&, int) override {
      flag = 1;
      CHECK(nt::cancelled(*step_));
      flag = 0;
    }
    void attention(int) override {}
    void attention_output(const nt::Tensor&) override {}
    void feed_forward(const nt::Layer&) override {}
    void feed_forward_output(const nt::Tensor&) override {}
    void logits(const nt::Tensor&, const nt::Tensor&) override {}
    void hidden(const nt::Tensor&) override {}
    void finish() override {}
  };
  nt::Model model;
  model.layers.resize(2);
  Flicker x;
  nt::Step step;
  step.cancel = &x.flag;
  CHECK(!nt::forward(x, model, step));
}

void extreme_contexts(const OpenModel& m) {
  nt_error e{};
  nt_pool* pool = nt_pool_new(1, &e);
  const auto status = [&](nt_context_params p) {
    e.status = NT_OK;
    nt_context* c = nt_context_new(m.model, pool, &p, &e);
    CHECK((c == nullptr) == (e.status != NT_OK));
    nt_context_info info{};
    if (c != nullptr) {
      nt_context_get_info(c, &info);
      CHECK(info.n_ctx > 0 && info.kv_capacity > 0 && info.kv_bytes == 0);
    }
    nt_context_free(c);
    return e.status;
  };
  nt_context_params p = params(0, 65536, 4096);
  CHECK_EQ(status(p), NT_OK);
  p.kv_capacity = INT64_MAX;
  CHECK_EQ(status(p), NT_OK);

  // A TiB of keys and values.
  CHECK_EQ(status(params(1 << 30, 1, 4096)), NT_OUT_OF_MEMORY);
  int fits = 0;
  long long available = 0;
  CHECK_EQ(std::sscanf(e.message,
                       "the KV cache of 1073741824 tokens takes 1099511627776 bytes, and %lld are available; "
                       "n_ctx %d would fit",
                       &available, &fits),
           2);
  CHECK(fits > 0 && 1024ll * fits <= available);
  CHECK_EQ(status(params(fits)), NT_OK);
  p.n_ctx = 1 << 30;  // of which the cache holds what the caller says
  CHECK_EQ(status(p), NT_OK);
  CHECK_EQ(status(params(INT32_MAX)), NT_INVALID_ARGUMENT);
  CHECK_EQ(status(params(-1)), NT_INVALID_ARGUMENT);
  CHECK_EQ(status(params(1, 65537)), NT_INVALID_ARGUMENT);
  CHECK_EQ(status(params(1, 1, 4097)), NT_INVALID_ARGUMENT);
  nt_pool_free(pool);
}

nt_sampling greedy_sampling() {
  nt_sampling p;
  nt_sampling_init(&p);
  p.temperature = 0;
  return p;
}

// What writes results writes all of them or none.
void sampling_is_all_or_nothing(const OpenModel& m) {
  Run run(m, 1, params(128));
  CHECK_EQ(run.decode({1, 2}, {0, 0}, {1, 1}), NT_OK);
  const int32_t rows[] = {0, 1}, bad_rows[] = {0, 2}, some[] = {3, 4};
  nt_sampling greedy[2] = {greedy_sampling(), greedy_sampling()};
  std::vector<uint64_t> masks(2 * ((kVocab + 63) / 64));
  masks[0] = 1;
  int32_t out[2] = {-7, -7};
  CHECK_EQ(nt_sample(run.context, 2, rows, greedy, masks.data(), out, &run.error), NT_INVALID_ARGUMENT);
  CHECK_EQ(out[0], -7);
  CHECK_EQ(nt_sample(run.context, 2, rows, greedy, nullptr, out, &run.error), NT_OK);
  CHECK(out[0] >= 0 && out[1] >= 0);
  float logprobs[2] = {7, 7};
  CHECK_EQ(nt_token_logprobs(run.context, 2, bad_rows, some, logprobs, &run.error), NT_INVALID_ARGUMENT);
  CHECK_EQ(logprobs[0], 7.0f);
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

// Weights that make logits no number: no call that needs an order of them gives one.
void logits_that_are_no_numbers() {
  for (float weight : {std::nanf(""), HUGE_VALF}) {
    ModelWriter w(8);
    std::string rows;
    for (int i = 0; i < kVocab * kEmbd; ++i) rows += GgufWriter::value(i / kEmbd == 7 ? weight : 0.5f);
    w.writer().tensor("output.weight", {kEmbd, kVocab}, 0, w.writer().data_size()).raw_data(rows);
    const OpenModel m(w.writer().bytes());
    Run run(m, 1, params(128));
    const std::vector<float> logits = run.last({1, 2});
    CHECK(!std::isfinite(logits[7]) && std::isfinite(logits[8]));
    const int32_t row = 0, token = 8;
    float logprob = 7;
    int32_t chosen = -7;
    nt_sampling greedy = greedy_sampling();
    CHECK_EQ(nt_token_logprobs(run.context, 1, &row, &token, &logprob, &run.error), NT_INTERNAL);
    CHECK(std::string(run.error.message).find("token 7") != std::string::npos);
    CHECK_EQ(nt_top_logprobs(run.context, 0, 1, &chosen, &logprob, &run.error), NT_INTERNAL);
    CHECK_EQ(nt_sample(run.context, 1, &row, &greedy, nullptr, &chosen, &run.error), NT_INTERNAL);
    CHECK_EQ(logprob, 7.0f);
    CHECK_EQ(chosen, -7);
  }
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

// What is refused leaves the sum as it was.
void hidden_states_are_checked(const OpenModel& m) {
  Run run(m, 1, params(128));
  std::vector<double> sum(kEmbd, 7);
  const auto status = [&](int first, int n) {
    return nt_add_hidden(run.context, first, n, sum.data(), kEmbd, &run.error);
  };
  CHECK_EQ(status(0, 1), NT_INVALID_ARGUMENT);
  CHECK_EQ(run.decode({1, 2}, {0, 0}, {NT_WANT_HIDDEN, NT_WANT_HIDDEN}), NT_OK);
  for (int first : {-1, 2, INT32_MAX}) CHECK_EQ(status(first, 1), NT_INVALID_ARGUMENT);
  for (int n : {-1, 3, INT32_MAX}) CHECK_EQ(status(0, n), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_add_hidden(run.context, 0, 1, sum.data(), kEmbd - 1, &run.error), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_add_hidden(run.context, 0, 1, nullptr, kEmbd, &run.error), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_add_hidden(nullptr, 0, 1, sum.data(), kEmbd, &run.error), NT_INVALID_ARGUMENT);
  CHECK_EQ(status(2, 0), NT_OK);
  CHECK_EQ(run.decode({1}, {0}, {NT_WANT_HIDDEN + 1}), NT_INVALID_ARGUMENT);
  CHECK_EQ(status(0, 1), NT_INVALID_ARGUMENT);
  const int32_t stop = 1;
  CHECK_EQ(run.decode({1}, {0}, {NT_WANT_HIDDEN}, &stop), NT_CANCELLED);
  CHECK_EQ(status(0, 1), NT_INVALID_ARGUMENT);
  CHECK(sum == std::vector<double>(kEmbd, 7));

  std::string bytes = ModelWriter(8).writer().bytes();
  const std::string one = GgufWriter::value(1.0f), nan = GgufWriter::value(std::nanf(""));
  bytes.replace(bytes.rfind(one + one), one.size(), nan);  // of output_norm, the last tensor
  const OpenModel broken(bytes);
  Run broken_run(broken, 1, params(128));
  CHECK_EQ(broken_run.decode({1}, {0}, {NT_WANT_HIDDEN}), NT_OK);
  CHECK_EQ(nt_add_hidden(broken_run.context, 0, 1, sum.data(), kEmbd, &broken_run.error), NT_INTERNAL);
  CHECK(sum == std::vector<double>(kEmbd, 7));
}

void null_arguments(const OpenModel& m) {
  Run run(m, 1, params(128));
  run.last(tokens(2));
  nt_error e{};
  const int32_t zero = 0;
  nt_sampling greedy = greedy_sampling();
  int32_t token = 0;
  float logprob = 0;
  CHECK_EQ(nt_file_get_kv(nullptr, 0, nullptr, &e), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_file_copy_strings(nullptr, 0, nullptr, 0, nullptr, 0, &e), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_file_get_tensor(nullptr, 0, nullptr, &e), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_file_decode_rows(nullptr, 0, 0, 0, nullptr, 0, &e), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_file_touch(nullptr, 0, 0, &e), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_decode(run.context, 1, nullptr, nullptr, nullptr, nullptr, nullptr, &e), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_seq_truncate(nullptr, 0, 0, &e), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_seq_fork(nullptr, 0, 0, 0, &e), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_seq_save(run.context, 0, 0, 1, nullptr, 0, &e), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_seq_load(run.context, 0, nullptr, 0, &e), NT_INVALID_ARGUMENT);
  run.last(tokens(1));
  CHECK_EQ(nt_get_logits(run.context, 0, nullptr, kVocab, &e), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_top_logprobs(run.context, 0, 1, nullptr, &logprob, &e), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_top_logprobs(run.context, 0, 1, &token, nullptr, &e), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_token_logprobs(run.context, 1, nullptr, &zero, &logprob, &e), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_token_logprobs(run.context, 1, &zero, nullptr, &logprob, &e), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_token_logprobs(run.context, 1, &zero, &zero, nullptr, &e), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_sample(run.context, 1, nullptr, &greedy, nullptr, &token, &e), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_sample(run.context, 1, &zero, nullptr, nullptr, &token, &e), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_sample(run.context, 1, &zero, &greedy, nullptr, nullptr, &e), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_measure_bandwidth(nullptr, nullptr, &e), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_measure_dot(nullptr, nullptr, &e), NT_INVALID_ARGUMENT);
  CHECK(nt_model_new(nullptr, &e) == nullptr);
}

// Linear scaling is named by its factor, under today's key or the old one, with or without a type; "none" means none.
void rope_scaling_keys(const OpenModel& plain) {
  const auto logits = [](const char* type, const char* key, float factor) {
    ModelWriter w(8);
    if (type != nullptr) w.writer().key("llama.rope.scaling.type", NT_KV_STRING, GgufWriter::string(type));
    w.writer().key(key, NT_KV_FLOAT32, GgufWriter::value(factor));
    const OpenModel m(w.writer().bytes());
    CHECK(m.model != nullptr);
    return m.model != nullptr ? Run(m, 1, params(64)).last(tokens(9)) : std::vector<float>();
  };
  constexpr char kFactor[] = "llama.rope.scaling.factor", kOld[] = "llama.rope.scale_linear";
  const std::vector<float> unscaled = Run(plain, 1, params(64)).last(tokens(9)), scaled = logits("linear", kFactor, 4);
  CHECK(scaled != unscaled);
  CHECK(logits(nullptr, kFactor, 4) == scaled);
  CHECK(logits(nullptr, kOld, 4) == scaled);
  CHECK(logits("linear", kOld, 4) == scaled);
  CHECK(logits("none", kFactor, 4) == unscaled);
  CHECK(logits("none", kOld, 4) == unscaled);
  const OpenModel slowed(with_rope_factors(2).writer().bytes());
  CHECK(Run(slowed, 1, params(64)).last(tokens(9)) == logits("linear", kFactor, 2));
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

void refuses_cache_types(const OpenModel& m) {
  nt_error e{};
  nt_pool* pool = nt_pool_new(1, &e);
  nt_context_params p = params(64);
  for (int32_t type : {-1, 2}) {
    p.kv_type = type;
    CHECK(nt_context_new(m.model, pool, &p, &e) == nullptr);
    CHECK_EQ(e.status, NT_INVALID_ARGUMENT);
  }
  nt_pool_free(pool);
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

void refuses_what_it_does_not_run() {
  const auto refused = [](int line, ModelWriter w, nt_status status, const char* part) {
    const OpenModel m(w.writer().bytes());
    if (m.model != nullptr || m.error.status != status ||
        std::string(m.error.message).find(part) == std::string::npos) {
      test::fail(__FILE__, line, nt::format("status %d, \"%s\"", m.error.status, m.error.message));
    }
  };
  ModelWriter experts(8);
  experts.writer().u32("llama.expert_count", 8);
  refused(__LINE__, experts, NT_UNSUPPORTED, "llama.expert_count is 8");
  ModelWriter scaling(8);
  scaling.writer().key("llama.rope.scaling.type", NT_KV_STRING, GgufWriter::string("yarn"));
  refused(__LINE__, scaling, NT_UNSUPPORTED, "rope scaling \"yarn\"");
  ModelWriter bias(8);
  bias.writer()
      .tensor("blk.0.attn_q.bias", {kEmbd}, 0, bias.writer().data_size())
      .raw_data(std::string(4 * kEmbd, '\0'));
  refused(__LINE__, bias, NT_UNSUPPORTED, "blk.0.attn_q.bias");
  ModelWriter shape(8);
  shape.writer().u32("llama.attention.key_length", 128);
  refused(__LINE__, shape, NT_FORMAT, "blk.0.attn_q.weight is 256 × 256; the configuration says 512 × 256");

  for (float factor : {0.0f, -1.0f, std::nanf(""), HUGE_VALF}) {
    refused(__LINE__, with_rope_factors(factor), NT_FORMAT, "value 5 of tensor rope_freqs.weight is");
  }

  // A value that is no float is refused, however it is written.
  for (double factor : {1e300, 1e-300, 1e-40, -1.0, std::nan("")}) {
    ModelWriter real(8);
    real.writer().key("llama.rope.scaling.factor", NT_KV_FLOAT64, GgufWriter::value(factor));
    refused(__LINE__, real, NT_FORMAT, "llama.rope.scaling.factor is");
  }
  ModelWriter long_name(8);
  long_name.writer()
      .tensor(std::string(5000, '\xff'), {8}, 0, long_name.writer().data_size())
      .raw_data(std::string(32, '\0'));
  refused(__LINE__, long_name, NT_UNSUPPORTED, "Supported: token_embd");
  ModelWriter long_type(8);
  long_type.writer().key("llama.rope.scaling.type", NT_KV_STRING, GgufWriter::string(std::string(5000, '\xff')));
  refused(__LINE__, long_type, NT_UNSUPPORTED, "Supported: \"none\"");

  // Keys without which no one knows what the model computes.
  for (std::string key : {"llama.attention.layer_norm_rms_epsilon", "llama.attention.head_count"}) {
    std::string bytes = ModelWriter(8).writer().bytes();
    const std::string length = GgufWriter::value<uint64_t>(key.size());
    bytes[bytes.find(length + key) + length.size() + key.size() - 1] = '?';
    const OpenModel m(bytes);
    CHECK_EQ(m.error.status, NT_FORMAT);
    CHECK_EQ(std::string(m.error.message), "the file has no " + key);
  }
}

}  // namespace

int main() {
  for (uint32_t type : {8u, 12u, 14u}) {
    const OpenModel m(type);
    CHECK(m.model != nullptr);
    if (m.model == nullptr) {
      std::fprintf(stderr, "%s\n", m.error.message);
      break;
    }
    for (int32_t t : {NT_CACHE_F16, NT_CACHE_Q8_0}) {
      if (test::kEmulated && (t == NT_CACHE_Q8_0) != (type == 8)) continue;  // each once: emulation takes minutes
      kv_type = t;
      if (!test::kEmulated || type != 14) same_in_same_out(m);
      batch_mates_change_nothing(m);
      if (!test::kEmulated) steps_of_many_sequences(m);
      interleaved_sequences(m);
      forks_and_rewinds(m);
      if (type == 8) {
        saved_sequences_go_on(m);
        blocks_are_checked(m);
        keys_that_are_no_numbers(m);
      }
      failures_change_nothing(m);
      cancels_within_a_pass(m);
      exact_path(m);
      if (type == 8) memory_is_given_back(m);
    }
    kv_type = NT_CACHE_F16;
    q8_is_near_f16(m);
    if (type != 8) continue;
    refuses_cache_types(m);
    refusal_drops_logits(m);
    cancelling_is_final();
    extreme_contexts(m);
    sampling_is_all_or_nothing(m);
    float_weights(m);
    hidden_states_are_checked(m);
    null_arguments(m);
    fingerprints(m);
    rope_scaling_keys(m);
  }
  odd_shapes();
  logits_that_are_no_numbers();
  hidden_states();
  refuses_what_it_does_not_run();
  return test::result();
}
