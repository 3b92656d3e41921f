// A small model for tests of the C ABI, and what decodes with it.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "check.h"
#include "gguf_writer.h"
#include "nautil.h"

namespace test {

constexpr int kVocab = 301, kEmbd = 256, kFf = 512, kHeads = 4, kKvHeads = 2, kHeadDim = 64, kLayers = 2;

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
inline ModelWriter with_rope_factors(float sixth) {
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
inline int32_t kv_type = NT_CACHE_F16;

inline nt_context_params params(int n_ctx, int n_batch = 0, int n_seq = 1) {
  nt_context_params p{};
  p.kv_type = kv_type;
  p.n_ctx = n_ctx;
  p.n_batch = n_batch;
  p.n_seq_max = n_seq;
  return p;
}

inline std::vector<int32_t> tokens(int n, unsigned seed = 1) {
  std::mt19937 random(seed);
  std::vector<int32_t> out;
  for (int i = 0; i < n; ++i) out.push_back(static_cast<int32_t>(random() % kVocab));
  return out;
}

// The kinds of matrices that the models have: Q8_0, Q4_K and Q6_K.
constexpr uint32_t kMatrixTypes[] = {8, 12, 14};

// Calls f(model) with a model of the type.
template <class F>
void with_model(uint32_t matrix_type, F f) {
  const OpenModel m(matrix_type);
  CHECK(m.model != nullptr);
  if (m.model == nullptr) {
    std::fprintf(stderr, "%s\n", m.error.message);
    return;
  }
  f(m);
}

}  // namespace test
