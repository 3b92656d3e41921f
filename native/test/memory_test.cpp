// What a model is estimated to take, and the refusal of what does not fit. Whether estimates are right, memory_check
// measures.
#include <cstdio>

#include "model_fixture.h"

namespace {

using namespace test;

struct Shape {
  uint32_t n_layer, n_embd, n_ff, n_head, n_head_kv, head_dim;
  uint64_t n_vocab;
  bool rope_freqs;
};

constexpr Shape kNemo = {40, 5120, 14336, 32, 8, 128, 131072, true};

// The header of a model with all matrices in Q8_0, without any data. *tensor_bytes: what all tensors take.
std::string header(const Shape& s, uint64_t* tensor_bytes) {
  GgufWriter w;
  w.key("general.architecture", NT_KV_STRING, GgufWriter::string("llama"));
  w.u32("llama.context_length", 131072).u32("llama.embedding_length", s.n_embd).u32("llama.block_count", s.n_layer);
  w.u32("llama.feed_forward_length", s.n_ff).u32("llama.attention.head_count", s.n_head);
  w.u32("llama.attention.head_count_kv", s.n_head_kv).u32("llama.attention.key_length", s.head_dim);
  w.u32("llama.attention.value_length", s.head_dim);
  w.key("llama.attention.layer_norm_rms_epsilon", NT_KV_FLOAT32, GgufWriter::value(1e-5f));
  uint64_t end = 0;
  *tensor_bytes = 0;
  const auto add = [&](const std::string& name, const std::vector<uint64_t>& shape, uint32_t type, uint64_t bytes) {
    w.tensor(name, shape, type, end);
    *tensor_bytes += bytes;
    end += (bytes + 31) / 32 * 32;
  };
  const auto matrix = [&](const std::string& name, uint64_t rows, uint64_t cols) {
    add(name, {cols, rows}, 8, rows * cols / 32 * 34);
  };
  const auto vector = [&](const std::string& name, uint64_t n) { add(name, {n}, 0, 4 * n); };
  const uint64_t q_dim = uint64_t{s.n_head} * s.head_dim, kv_dim = uint64_t{s.n_head_kv} * s.head_dim;
  matrix("token_embd.weight", s.n_vocab, s.n_embd);
  for (uint32_t i = 0; i < s.n_layer; ++i) {
    const std::string b = "blk." + std::to_string(i) + ".";
    vector(b + "attn_norm.weight", s.n_embd);
    matrix(b + "attn_q.weight", q_dim, s.n_embd);
    matrix(b + "attn_k.weight", kv_dim, s.n_embd);
    matrix(b + "attn_v.weight", kv_dim, s.n_embd);
    matrix(b + "attn_output.weight", s.n_embd, q_dim);
    vector(b + "ffn_norm.weight", s.n_embd);
    matrix(b + "ffn_gate.weight", s.n_ff, s.n_embd);
    matrix(b + "ffn_up.weight", s.n_ff, s.n_embd);
    matrix(b + "ffn_down.weight", s.n_embd, s.n_ff);
  }
  vector("output_norm.weight", s.n_embd);
  if (s.rope_freqs) vector("rope_freqs.weight", s.head_dim / 2);
  const std::string bytes = w.bytes();
  return bytes + std::string((32 - bytes.size() % 32) % 32, '\0');
}

// A file that is gone again at the end; longer than its bytes, it takes no more of the disk.
class File {
 public:
  explicit File(const std::string& bytes, uint64_t size = 0) {
    const int fd = mkstemp(path_);
    std::ofstream(path_, std::ios::binary) << bytes;
    if (size > bytes.size()) CHECK_EQ(ftruncate(fd, static_cast<off_t>(size)), 0);
    close(fd);
  }
  ~File() { unlink(path_); }
  nt_file* open(uint32_t flags) {
    nt_file* file = nt_file_open(path_, flags, &error);
    CHECK(file != nullptr);
    return file;
  }
  nt_error error{};

 private:
  char path_[32] = "/tmp/nautil-memory-XXXXXX";
};

nt_memory_estimate estimate(nt_file* file, nt_context_params p, int n_threads = 2, int copy = 0) {
  nt_memory_estimate m{};
  nt_error e{};
  CHECK_EQ(nt_file_estimate(file, n_threads, &p, copy, &m, &e), NT_OK);
  return m;
}

void of_a_header() {
  uint64_t weights = 0;
  File prefix(header(kNemo, &weights));
  nt_file* file = prefix.open(NT_FILE_HEADER);
  nt_file_info info;
  nt_file_get_info(file, &info);
  CHECK_EQ(info.tensor_bytes, weights);
  CHECK(info.file_bytes >= info.tensor_bytes);

  // 2 · 40 layers · 8 heads · 128 values a token; Q8_0 takes 34 bytes for 32 of them.
  for (const int n_ctx : {1, 64, 4096, 32768}) {
    const int64_t n_values = (n_ctx + 63) / 64 * int64_t{64} * 2 * 40 * 8 * 128;
    nt_context_params p = params(n_ctx);
    p.kv_type = NT_CACHE_F16;
    const nt_memory_estimate m = estimate(file, p);
    CHECK_EQ(m.n_ctx, n_ctx);
    CHECK_EQ(m.weight_bytes, weights);
    CHECK_EQ(m.kv_bytes, 2 * n_values);
    CHECK(m.working_bytes > 0);
    CHECK(0 < m.available_bytes && m.available_bytes <= m.physical_bytes);
    CHECK(m.working_bytes <= estimate(file, p, 8).working_bytes);
    CHECK_EQ(estimate(file, p, 0).working_bytes, estimate(file, p, nt_default_threads()).working_bytes);
    p.kv_type = NT_CACHE_Q8_0;
    CHECK_EQ(estimate(file, p).kv_bytes, n_values / 32 * 34);
  }
  // A longer one does not fit, and what is told to, does, unless the machine has no room for the weights.
  const nt_memory_estimate large = estimate(file, params(1 << 30));
  CHECK_EQ(large.fits, 0);
  CHECK_EQ(large.max_n_ctx % 64, 0);
  if (large.max_n_ctx > 0) CHECK_EQ(estimate(file, params(large.max_n_ctx)).fits, 1);
  const nt_memory_estimate own = estimate(file, params(0));
  CHECK(own.n_ctx <= 131072 && (own.fits == 0 || own.n_ctx <= own.max_n_ctx));
  CHECK(estimate(file, params(64), 2, 1).fits <= own.fits);

  // There is no data to run.
  nt_error e{};
  float value;
  CHECK(nt_model_new(file, &e) == nullptr);
  CHECK_EQ(e.status, NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_file_decode_rows(file, 0, 0, 1, &value, 1, &e), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_file_touch(file, 0, INT64_MAX, &e), NT_OK);

  nt_memory_estimate m{};
  nt_context_params p = params(-1);
  CHECK_EQ(nt_file_estimate(file, 0, &p, 0, &m, &e), NT_INVALID_ARGUMENT);
  p = params(64);
  CHECK_EQ(nt_file_estimate(file, -1, &p, 0, &m, &e), NT_INVALID_ARGUMENT);
  CHECK_EQ(nt_file_estimate(file, 0, &p, 0, nullptr, &e), NT_INVALID_ARGUMENT);
  nt_file_close(file);

  File other(GgufWriter().key("general.architecture", NT_KV_STRING, GgufWriter::string("mamba")).bytes());
  file = other.open(NT_FILE_HEADER);
  CHECK_EQ(nt_file_estimate(file, 0, &p, 0, &m, &e), NT_UNSUPPORTED);
  nt_file_close(file);
}

// The same model, of which the weights are there.
void of_a_whole_file() {
  const std::string bytes = ModelWriter(12).writer().bytes();
  File whole(bytes), prefix(bytes.substr(0, 4096));
  nt_file *file = whole.open(0), *header = prefix.open(NT_FILE_HEADER);
  const nt_memory_estimate a = estimate(file, params(256)), b = estimate(header, params(256));
  CHECK_EQ(a.weight_bytes, b.weight_bytes);
  CHECK_EQ(a.kv_bytes, b.kv_bytes);
  CHECK_EQ(a.working_bytes, b.working_bytes);
  CHECK_EQ(a.fits, 1);
  CHECK_EQ(estimate(file, params(256), 2, 1).fits, 1);
  nt_file_close(file);
  nt_file_close(header);
}

// A file of terabytes, of holes alone: its weights would be read from the disk for each token.
void weights_beyond_memory() {
  uint64_t weights = 0;
  const std::string head = header({64, 65536, 1 << 18, 512, 8, 128, 1 << 17, false}, &weights);
  File large(head, head.size() + weights + (uint64_t{1} << 20));
  nt_file* file = large.open(0);
  for (const int n_ctx : {0, 64}) {
    const nt_memory_estimate m = estimate(file, params(n_ctx));
    CHECK(m.weight_bytes > m.physical_bytes);
    CHECK_EQ(m.fits, 0);
    CHECK_EQ(m.max_n_ctx, 0);
    CHECK_EQ(m.n_ctx, 64);
  }
  nt_error e{};
  nt_model* model = nt_model_new(file, &e);
  nt_pool* pool = nt_pool_new(1, &e);
  CHECK(model != nullptr);
  for (const int n_ctx : {0, 64}) {
    nt_context_params p = params(n_ctx);
    CHECK(nt_context_new(model, pool, &p, &e) == nullptr);
    CHECK_EQ(e.status, NT_OUT_OF_MEMORY);
    CHECK(std::string(e.message).find("no n_ctx would fit") != std::string::npos);
    p.overcommit = 1;
    nt_context* context = nt_context_new(model, pool, &p, &e);
    CHECK(context != nullptr);
    nt_context_info info{};
    if (context != nullptr) nt_context_get_info(context, &info);
    CHECK(n_ctx != 0 ? info.n_ctx == n_ctx : info.n_ctx >= 64);
    nt_context_free(context);
  }
  nt_pool_free(pool);
  nt_model_free(model);
  nt_file_close(file);
}

}  // namespace

int main() {
  of_a_header();
  of_a_whole_file();
  if (!kEmulated) weights_beyond_memory();
  return test::result();
}
