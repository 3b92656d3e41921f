// The stages of a forward pass on the CPU. Each is one or two jobs of the thread pool: five for a token's layer, since
// what is small (norms, quantising one column) is done by the caller alone.
#include "cpu/cpu_backend.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "cpu/aligned_buffer.h"
#include "cpu/kernels.h"
#include "cpu/kv_page_q8.h"
#include "cpu/thread_pool.h"
#include "model/forward.h"
#include "model/kv_cache.h"
#include "system.h"

namespace nt::cpu {
namespace {

// The kernels know no cache, nor the cache kernels.
static_assert(kPageTokens == KvCache::kPageTokens);

// Pages of a chunk: attention is split at multiples of 1024 tokens, whatever the number of threads, so that its result
// does not depend on it.
constexpr int kChunkPages = 16;
constexpr int kChunkTokens = kChunkPages * kPageTokens;

// Attention's query blocks are split into chunks where there are fewer tasks than this for each thread.
constexpr int kSplitTasks = 8;

// Query rows of an attention task: enough to use each page for many rows, few enough for their state to stay in L2.
constexpr int kQueryRows = 64;

// Columns that a product takes between two looks at the cancel flag.
constexpr int kColumnBlock = 512;

// Columns from which a BLAS is worth its decoding of the weights.
constexpr int kBlasColumns = 32;

// Values that a column job must have in all before it is worth waking other threads (about 10 µs of work).
constexpr size_t kSmallJob = 1 << 15;

// As how many values of a column job the cosine and sine of an angle count: roughly, 40 ns to 0.3.
constexpr size_t kAngleValues = 128;

using Sgemm = void (*)(int order, int trans_a, int trans_b, int m, int n, int k, float alpha, const float* a, int lda,
                       const float* b, int ldb, float beta, float* c, int ldc);
constexpr int kRowMajor = 101, kNoTrans = 111, kTrans = 112;  // of cblas

size_t size(int64_t n) { return static_cast<size_t>(n); }

int chunks(int n) { return (n + kChunk - 1) / kChunk; }

// Zeroes all but the first n tokens of a page of one KV head. F16: keys (head_dim, 64), values (64, head_dim).
void clear_later_tokens(uint16_t* page, int head_dim, int n) {
  for (int d = 0; d < head_dim; ++d) {
    std::fill(page + d * kPageTokens + n, page + (d + 1) * kPageTokens, uint16_t{0});
  }
  uint16_t* values = page + kv_values(head_dim);
  std::fill(values + size(n) * size(head_dim), values + kv_values(head_dim), uint16_t{0});
}

void clear_later_tokens(const KvPageQ8<uint8_t>& page, int head_dim, int n) {
  for (int group = 0; group < head_dim / 4; ++group) {
    uint8_t* keys = page.keys + group * kKeyGroupBytes;
    std::fill(keys + 4 * n, keys + kKeyGroupBytes, uint8_t{0});
  }
  std::fill(page.values + size(n) * size(head_dim), page.values + kv_values(head_dim), int8_t{0});
  for (int block = 0; block < head_dim / kKvBlock; ++block) {
    for (uint16_t* scales : {page.key_scales, page.value_scales}) {
      std::fill(scales + block * kPageTokens + n, scales + (block + 1) * kPageTokens, uint16_t{0});
    }
  }
}

// A stage's input in the forms that the weights it meets want.
struct Input {
  const float* x = nullptr;               // (n_cols, n)
  const ActivationChunk* q32 = nullptr;   // (n / 256, n_cols), scales of 32; null if no weight wants it
  const ActivationChunk* q256 = nullptr;  // the same, scales of 256
  int n_cols = 0;
};

// What a thread works with inside a task.
struct ThreadMemory {
  AlignedBuffer<uint8_t> scratch;  // kScratchBytes
  AlignedBuffer<float> product;    // two blocks of a product: (n_cols, block) each
  AlignedBuffer<float> attention;  // queries and two states
};

// Rows of a matrix that a task of a product takes at most.
constexpr int64_t kRowBlock = 128;

size_t head_page_bytes(const Config& c, nt_cache_type kv_type) {
  return kv_type == NT_CACHE_Q8_0 ? kv_page_q8_bytes(c.head_dim) : 2 * kv_values(c.head_dim) * sizeof(uint16_t);
}

size_t page_bytes(const Config& c, nt_cache_type kv_type) {
  return head_page_bytes(c, kv_type) * size(c.n_head_kv) * size(c.n_layer);
}

bool uses_float(const Tensor& w, bool exact) { return exact || !info(w.format).quantized; }

// Tokens of a query block at most.
int block_tokens(const Config& c) { return std::max(1, kQueryRows / c.group()); }
int max_query_rows(const Config& c) { return block_tokens(c) * c.group(); }
size_t state_values(const Config& c) { return size(max_query_rows(c)) * size(c.head_dim + 2); }

bool splits_attention(const Config& c, int64_t n_blocks, int n_threads) {
  return n_blocks * c.n_head_kv < int64_t{kSplitTasks} * n_threads;
}

// Columns of the widest product with quantised activations, by the granularity of their scales; 0: there is none.
struct QuantizedWidths {
  int in32 = 0, in256 = 0;

  QuantizedWidths(const Model& model, bool exact) {
    for (const Layer& l : model.layers) {
      for (const Tensor* w : {&l.wq, &l.wk, &l.wv, &l.wo, &l.gate, &l.up, &l.down}) add(*w, exact);
    }
    add(model.output, exact);
  }

 private:
  void add(const Tensor& w, bool exact) {
    if (uses_float(w, exact)) return;
    int& widest = activation_block(w.format) == kChunk ? in256 : in32;
    widest = std::max(widest, static_cast<int>(w.n_cols));
  }
};

// What a pass of n tokens works with, in values of each buffer.
struct PassSizes {
  size_t residual;            // x, normed: (n, n_embd)
  size_t heads;               // q, attended: (n, n_head · head_dim)
  size_t ff;                  // (n, n_ff)
  size_t rotations;           // cos, sin: (n, n_rot / 2)
  size_t q32, q256;           // activation chunks
  size_t product, attention;  // of each thread

  PassSizes(const Config& c, const QuantizedWidths& widths, size_t n)
      : residual(n * size(c.n_embd)),
        heads(n * size(c.q_dim())),
        ff(n * size(c.n_ff)),
        rotations(n * size(c.n_rot / 2)),
        q32(n * size(chunks(widths.in32))),
        q256(n * size(chunks(widths.in256))),
        product(2 * n * size(std::max<int64_t>(c.head_dim, kRowBlock))),
        attention(size(max_query_rows(c)) * size(c.head_dim) + 2 * state_values(c)) {}

  size_t bytes(int n_threads) const {
    return (2 * residual + 2 * heads + ff + 2 * rotations + size(n_threads) * (product + attention)) * sizeof(float) +
           (q32 + q256) * sizeof(ActivationChunk) + size(n_threads) * kScratchBytes;
  }
};

// Values of the states of attention's chunks for query blocks of so many rows and chunks in all.
size_t partial_values(const Config& c, int64_t rows) { return size(rows) * size(c.n_head_kv) * size(c.head_dim + 2); }

size_t working_bytes(const Model& model, int n_threads, const ExecutorOptions& options, int n_ctx) {
  const Config& c = model.config;
  const int n_tokens = std::min(options.n_batch, n_ctx);
  size_t bytes = PassSizes(c, QuantizedWidths(model, options.exact), size(n_tokens)).bytes(n_threads);
  // The most blocks that are still split, all at the end of the context.
  const int64_t n_blocks = (int64_t{kSplitTasks} * n_threads - 1) / c.n_head_kv;
  const int64_t n_chunks = (int64_t{n_ctx} + kChunkTokens - 1) / kChunkTokens;
  const int64_t queries = std::min<int64_t>(n_blocks * block_tokens(c), n_tokens);
  if (n_chunks > 1) bytes += partial_values(c, queries * c.group() * n_chunks) * sizeof(float);
  return bytes + size(c.n_vocab) * sizeof(float);  // a row of logits
}

class CpuExecutor final : public Executor {
 public:
  CpuExecutor(const Model& model, ThreadPool& pool, const ExecutorOptions& options)
      : c_(model.config), widths_(model, options.exact), pool_(pool), options_(options), memory_(size(pool.size())) {
    for (ThreadMemory& m : memory_) m.scratch.ensure(kScratchBytes);
    const float* factors = reinterpret_cast<const float*>(model.rope_freqs.data);
    for (int j = 0; j < c_.n_rot / 2; ++j) {
      rope_frequencies_.push_back(std::pow(static_cast<double>(c_.rope_theta), -2.0 * j / c_.n_rot) * c_.rope_scale /
                                  (factors != nullptr ? static_cast<double>(factors[j]) : 1.0));
    }
  }

  void allocate_page(int32_t page) override {
    if (size(page) >= pages_.size()) pages_.resize(size(page) + 1);
    pages_[size(page)].ensure(page_bytes());
  }

  void release_page(int32_t page) noexcept override {
    // free() alone may leave it to the heap, whose parts the system gets back only from its end.
    return_memory(pages_[size(page)].get(), page_bytes());
    pages_[size(page)] = {};
  }

  void copy_page(int32_t from, int32_t to) override {
    std::memcpy(pages_[size(to)].get(), pages_[size(from)].get(), page_bytes());
  }

  size_t page_bytes() const override { return cpu::page_bytes(c_, options_.kv_type); }
  void read_page(int32_t page, int n_tokens, uint8_t* out) const override;
  void write_page(int32_t page, const uint8_t* bytes) override {
    std::memcpy(pages_[size(page)].get(), bytes, page_bytes());
  }

  void begin(const Step& step) override;
  void gather(const Tensor& embedding) override;
  void qkv(const Layer& layer, int index) override;
  void attention(int index) override;
  void attention_output(const Tensor& wo) override {
    add_product(Operation::kAttentionOutput, wo, quantize(attended_.get(), step_->n_tokens, c_.q_dim(), {&wo}));
  }
  void feed_forward(const Layer& layer) override;
  void feed_forward_output(const Tensor& down) override {
    add_product(Operation::kDown, down, quantize(ff_.get(), step_->n_tokens, c_.n_ff, {&down}));
  }
  void logits(const Tensor& norm, const Tensor& output) override;
  void hidden(const Tensor& norm) override;
  void finish() override {}

 private:
  // A query block: some consecutive tokens of a run, all query heads of one KV head.
  struct QueryBlock {
    const Run* run;
    int first, count;  // tokens in the run
    int n_chunks;      // of KV pages that its last token sees
    int64_t partial;   // rows of the states before those of its chunks, where chunks are tasks of their own
  };

  struct QueryChunk {
    const QueryBlock* block;
    int chunk;
  };

  size_t n_tokens() const { return size(step_->n_tokens); }
  bool q8() const { return options_.kv_type == NT_CACHE_Q8_0; }
  size_t head_page_bytes() const { return cpu::head_page_bytes(c_, options_.kv_type); }
  template <typename T>  // uint16_t, or uint8_t in Q8_0
  T* page(int32_t id, int layer, int head) const {
    return reinterpret_cast<T*>(pages_[size(id)].get() + head_page_bytes() * size(layer * c_.n_head_kv + head));
  }

  // Runs task(i, thread) on the pool; once the step is cancelled, the tasks that are left do nothing, and no other
  // context's jobs are waited for.
  template <typename Task>
  void run(int n, Task task) {
    if (cancelled(*step_)) return;
    auto unless_cancelled = [&](int i, int thread) {
      if (!cancelled(*step_)) task(i, thread);
    };
    pool_.run(n, unless_cancelled);
  }

  // task(i) for each of n columns of `values` values: on the caller alone where that is quicker.
  template <typename Task>
  void for_columns(int n, size_t values, Task task) {
    if (size(n) * values <= kSmallJob) {
      for (int i = 0; i < n; ++i) task(i);
    } else {
      run(n, [&](int i, int) { task(i); });
    }
  }

  // task(first_row, n_rows, thread) over blocks of a matrix's rows.
  template <typename Task>
  void for_rows(int64_t n_rows, Task task) {
    const int64_t even = n_rows / (pool_.size() * 8);
    const int64_t block = std::clamp<int64_t>(even / kTileRows * kTileRows, kTileRows, kRowBlock);
    run(static_cast<int>((n_rows + block - 1) / block), [&](int i, int thread) {
      const int64_t first = i * block;
      task(first, std::min(block, n_rows - first), thread);
    });
  }

  // Of products of weights with a pass's columns, all of which take the weights but once.
  static OperationWork products(int n_cols, std::initializer_list<const Tensor*> weights) {
    OperationWork work;
    for (const Tensor* w : weights) {
      work.bytes += w->n_rows * static_cast<int64_t>(w->row_bytes());
      work.macs += w->n_rows * w->n_cols * n_cols;
    }
    return work;
  }

  Input quantize(const float* x, int n_cols, int64_t n, std::initializer_list<const Tensor*> weights);
  void norm_columns(const Tensor& norm, int n_cols, const int32_t* columns, float* out);
  Input normalize(const Tensor& norm, int n_cols, const int32_t* columns, std::initializer_list<const Tensor*> weights);
  void product(const Tensor& w, const Input& in, int64_t first, int64_t n_rows, float* out, size_t out_stride,
               int thread);
  bool blas_product(const Tensor& w, const Matmul& m);
  void add_product(Operation op, const Tensor& w, const Input& in);

  void store_kv_head(const Layer& layer, int index, const Input& in, int head, int thread);
  void compute_rotations();
  void rope(float* x, int64_t token) const;
  void divide_attention();
  int block_rows(const QueryBlock& b) const { return b.count * c_.group(); }
  static AttentionState state_at(float* memory, int n_rows) {
    return {memory, memory + n_rows, memory + 2 * static_cast<ptrdiff_t>(n_rows)};
  }
  void attend_chunk(const QueryBlock& b, int layer, int head, int chunk, AttentionState state, int thread);
  void load_queries(const QueryBlock& b, int head, float* q) const;
  void store_attended(const QueryBlock& b, int head, const AttentionState& state);
  void attend_whole(int layer);
  void attend_split(int layer);
  OperationWork attention_work() const;

  const Config& c_;
  const QuantizedWidths widths_;
  ThreadPool& pool_;
  const ExecutorOptions options_;
  const Kernels& k_ = kernels();
  std::vector<double> rope_frequencies_;  // (n_rot / 2): radians a token

  // Of the pass.
  const Step* step_ = nullptr;
  std::vector<QueryBlock> blocks_;
  std::vector<QueryChunk> chunks_;  // the blocks' chunks where each is a task, else none

  std::vector<AlignedBuffer<uint8_t>> pages_;  // (n_layer, n_head_kv, head_page_bytes()) each: see kernels.h
  std::vector<ThreadMemory> memory_;
  AlignedBuffer<float> x_;          // (n_tokens, n_embd): the residual stream
  AlignedBuffer<float> normed_;     // (n_tokens, n_embd)
  AlignedBuffer<float> q_;          // (n_tokens, n_head · head_dim)
  AlignedBuffer<float> attended_;   // (n_tokens, n_head · head_dim)
  AlignedBuffer<float> ff_;         // (n_tokens, n_ff)
  AlignedBuffer<float> cos_, sin_;  // (n_tokens, n_rot / 2)
  AlignedBuffer<float> partials_;   // states of attention over chunks
  AlignedBuffer<ActivationChunk> q32_, q256_;
};

void CpuExecutor::read_page(int32_t page, int n_tokens, uint8_t* out) const {
  std::memcpy(out, pages_[size(page)].get(), page_bytes());
  if (n_tokens == kPageTokens) return;
  for (uint8_t* head = out; head < out + page_bytes(); head += head_page_bytes()) {
    if (q8()) {
      clear_later_tokens(KvPageQ8<uint8_t>(head, c_.head_dim), c_.head_dim, n_tokens);
    } else {
      clear_later_tokens(reinterpret_cast<uint16_t*>(head), c_.head_dim, n_tokens);
    }
  }
}

void CpuExecutor::begin(const Step& step) {
  step_ = &step;
  const PassSizes sizes(c_, widths_, n_tokens());
  x_.ensure(sizes.residual);
  normed_.ensure(sizes.residual);
  q_.ensure(sizes.heads);
  attended_.ensure(sizes.heads);
  ff_.ensure(sizes.ff);
  cos_.ensure(sizes.rotations);
  sin_.ensure(sizes.rotations);
  q32_.ensure(sizes.q32);
  q256_.ensure(sizes.q256);
  for (ThreadMemory& m : memory_) {
    m.product.ensure(sizes.product);
    m.attention.ensure(sizes.attention);
  }
  compute_rotations();
  divide_attention();
}

void CpuExecutor::compute_rotations() {
  const size_t half = rope_frequencies_.size();
  float* cos = cos_.get();
  float* sin = sin_.get();
  for (const Run& r : step_->runs) {
    for_columns(r.count, half * kAngleValues, [&](int i) {
      const size_t row = size(r.first + i) * half;
      for (size_t j = 0; j < half; ++j) {
        const double angle = (r.position + i) * rope_frequencies_[j];
        cos[row + j] = static_cast<float>(std::cos(angle));
        sin[row + j] = static_cast<float>(std::sin(angle));
      }
    });
  }
}

// Blocks of queries are the tasks; their chunks are where, as for one token with a long past, there are too few blocks
// for the threads.
void CpuExecutor::divide_attention() {
  blocks_.clear();
  chunks_.clear();
  const int tokens = block_tokens(c_);
  int64_t partial_rows = 0;
  bool several_chunks = false;
  for (const Run& r : step_->runs) {
    for (int first = 0; first < r.count; first += tokens) {
      const int count = std::min(tokens, r.count - first);
      const int n_chunks = (r.position + first + count + kChunkTokens - 1) / kChunkTokens;
      blocks_.push_back({&r, first, count, n_chunks, partial_rows});
      partial_rows += int64_t{n_chunks} * block_rows(blocks_.back());
      several_chunks |= n_chunks > 1;
    }
  }
  if (!several_chunks || !splits_attention(c_, static_cast<int64_t>(blocks_.size()), pool_.size())) return;
  for (const QueryBlock& b : blocks_) {
    for (int chunk = 0; chunk < b.n_chunks; ++chunk) chunks_.push_back({&b, chunk});
  }
  partials_.ensure(partial_values(c_, partial_rows));
}

void CpuExecutor::gather(const Tensor& embedding) {
  const auto decode = k_.decode[static_cast<int>(embedding.format)];
  const int64_t bytes = step_->n_tokens * static_cast<int64_t>(embedding.row_bytes());
  profile_.time(Operation::kEmbedding, {bytes, 0}, [&] {
    for_columns(step_->n_tokens, size(c_.n_embd), [&](int i) {
      decode(embedding.row(step_->tokens[i]), size(c_.n_embd), x_.get() + size(i) * size(c_.n_embd));
    });
  });
}

// Quantises each column once, at the granularities that the weights want.
Input CpuExecutor::quantize(const float* x, int n_cols, int64_t n, std::initializer_list<const Tensor*> weights) {
  Input in;
  in.x = x;
  in.n_cols = n_cols;
  for (const Tensor* w : weights) {
    if (uses_float(*w, options_.exact)) continue;
    (activation_block(w->format) == kChunk ? in.q256 : in.q32) =
        activation_block(w->format) == kChunk ? q256_.get() : q32_.get();
  }
  if (in.q32 == nullptr && in.q256 == nullptr) return in;
  profile_.time(Operation::kInputs, {}, [&] {
    for_columns(n_cols, size(n), [&](int i) {
      const float* column = x + size(i) * size(n);
      if (in.q32 != nullptr) k_.quantize(column, static_cast<int>(n), 32, q32_.get() + i, size(n_cols));
      if (in.q256 != nullptr) k_.quantize(column, static_cast<int>(n), kChunk, q256_.get() + i, size(n_cols));
    });
  });
  return in;
}

// RMS norm of columns of the residual stream (all of them if columns is null).
void CpuExecutor::norm_columns(const Tensor& norm, int n_cols, const int32_t* columns, float* out) {
  const size_t n = size(c_.n_embd);
  profile_.time(Operation::kInputs, {}, [&] {
    for_columns(n_cols, n, [&](int i) {
      const int column = columns != nullptr ? columns[i] : i;
      k_.rms_norm(x_.get() + size(column) * n, reinterpret_cast<const float*>(norm.data), c_.n_embd, c_.rms_eps,
                  out + size(i) * n);
    });
  });
}

// The same, ready for the weights.
Input CpuExecutor::normalize(const Tensor& norm, int n_cols, const int32_t* columns,
                             std::initializer_list<const Tensor*> weights) {
  norm_columns(norm, n_cols, columns, normed_.get());
  return quantize(normed_.get(), n_cols, c_.n_embd, weights);
}

// out(c, r) = row first + r of w · column c.
void CpuExecutor::product(const Tensor& w, const Input& in, int64_t first, int64_t n_rows, float* out,
                          size_t out_stride, int thread) {
  const ActivationChunk* q = activation_block(w.format) == kChunk ? in.q256 : in.q32;
  const int f = static_cast<int>(w.format);
  for (int c = 0; c < in.n_cols && !cancelled(*step_); c += kColumnBlock) {
    Matmul m{};
    m.rows = w.row(first);
    m.row_bytes = w.row_bytes();
    m.n_rows = static_cast<int>(n_rows);
    m.rows_apart = wants_rows_apart(k_, m);
    m.n_values = static_cast<int>(w.n_cols);
    m.n_cols = std::min(kColumnBlock, in.n_cols - c);
    m.q = q != nullptr ? q + c : nullptr;
    m.q_stride = size(in.n_cols);
    m.x_stride = size(w.n_cols);
    m.x = in.x + size(c) * m.x_stride;
    m.out = out + size(c) * out_stride;
    m.out_stride = out_stride;
    m.scratch = memory_[size(thread)].scratch.get();
    if (!uses_float(w, options_.exact)) {
      k_.matmul[f](m);
    } else if (!blas_product(w, m)) {
      k_.matmul_float[f](m);
    }
  }
}

// A product of float weights with many columns by the BLAS, if there is one.
bool CpuExecutor::blas_product(const Tensor& w, const Matmul& m) {
  if (options_.sgemm == nullptr || options_.exact || m.n_cols < kBlasColumns) return false;
  Sgemm sgemm;
  std::memcpy(&sgemm, &options_.sgemm, sizeof sgemm);
  const int fit = static_cast<int>(kScratchBytes / sizeof(float) / size(m.n_values));
  if (fit < 1) return false;
  float* decoded = static_cast<float*>(m.scratch);
  for (int r = 0; r < m.n_rows; r += fit) {
    const int n = std::min(fit, m.n_rows - r);
    for (int i = 0; i < n; ++i) {
      k_.decode[static_cast<int>(w.format)](m.rows + size(r + i) * m.row_bytes, size(m.n_values),
                                            decoded + size(i) * size(m.n_values));
    }
    sgemm(kRowMajor, kNoTrans, kTrans, m.n_cols, n, m.n_values, 1, m.x, static_cast<int>(m.x_stride), decoded,
          m.n_values, 0, m.out + r, static_cast<int>(m.out_stride));
  }
  return true;
}

// x += w · in
void CpuExecutor::add_product(Operation op, const Tensor& w, const Input& in) {
  profile_.time(op, products(in.n_cols, {&w}), [&] {
    for_rows(w.n_rows, [&](int64_t first, int64_t n, int thread) {
      float* out = memory_[size(thread)].product.get();
      product(w, in, first, n, out, size(n), thread);
      for (int i = 0; i < in.n_cols; ++i) {
        k_.add(x_.get() + size(i) * size(c_.n_embd) + first, out + size(i) * size(n), size(n));
      }
    });
  });
}

void CpuExecutor::rope(float* x, int64_t token) const {
  const int half = c_.n_rot / 2;
  k_.rope(x, 1, c_.head_dim, cos_.get() + token * half, sin_.get() + token * half, half);
  if (q8()) k_.hadamard(x, c_.head_dim);  // of keys and queries alike, whose dots stay what they are
}

// Keys and values of one KV head for all tokens: computed, rotated and stored in one task, while they are in cache.
void CpuExecutor::store_kv_head(const Layer& layer, int index, const Input& in, int head, int thread) {
  const size_t d = size(c_.head_dim);
  float* k = memory_[size(thread)].product.get();
  float* v = k + n_tokens() * d;
  product(layer.wk, in, head * c_.head_dim, c_.head_dim, k, d, thread);
  product(layer.wv, in, head * c_.head_dim, c_.head_dim, v, d, thread);
  for (const Run& r : step_->runs) {
    for (int i = 0; i < r.count; ++i) {
      const size_t token = size(r.first + i);
      const int position = r.position + i;
      rope(k + token * d, r.first + i);
      const int32_t id = r.page_table[position / kPageTokens];
      const int slot = position % kPageTokens;
      if (q8()) {
        k_.store_kv_q8(k + token * d, v + token * d, c_.head_dim, page<uint8_t>(id, index, head), slot);
      } else {
        k_.store_kv(k + token * d, v + token * d, c_.head_dim, page<uint16_t>(id, index, head), slot);
      }
    }
  }
}

void CpuExecutor::qkv(const Layer& layer, int index) {
  const Input in = normalize(layer.attn_norm, step_->n_tokens, nullptr, {&layer.wq, &layer.wk, &layer.wv});
  profile_.time(Operation::kQkv, products(in.n_cols, {&layer.wq, &layer.wk, &layer.wv}), [&] {
    // The KV heads first: they are twice the work of a query head.
    run(c_.n_head_kv + c_.n_head, [&](int i, int thread) {
      if (i < c_.n_head_kv) {
        store_kv_head(layer, index, in, i, thread);
        return;
      }
      const int head = i - c_.n_head_kv;
      float* q = q_.get() + head * c_.head_dim;
      product(layer.wq, in, head * c_.head_dim, c_.head_dim, q, size(c_.q_dim()), thread);
      for (size_t t = 0; t < n_tokens(); ++t) rope(q + t * size(c_.q_dim()), static_cast<int64_t>(t));
    });
  });
}

// The block's queries of the head's group, scaled: (count · group, head_dim).
void CpuExecutor::load_queries(const QueryBlock& b, int head, float* q) const {
  const float scale = 1 / std::sqrt(static_cast<float>(c_.head_dim));
  const size_t n = size(c_.group() * c_.head_dim);
  for (int t = 0; t < b.count; ++t) {
    const float* from = q_.get() + size(b.run->first + b.first + t) * size(c_.q_dim()) + size(head) * n;
    for (size_t i = 0; i < n; ++i) q[size(t) * n + i] = from[i] * scale;
  }
}

void CpuExecutor::attend_chunk(const QueryBlock& b, int layer, int head, int chunk, AttentionState state, int thread) {
  const int start = chunk * kChunkTokens;
  const int end = std::min(start + kChunkTokens, b.run->position + b.first + b.count);
  const int n_pages = (end - start + kPageTokens - 1) / kPageTokens;
  int32_t n_visible[kMaxHeads];  // a block of more rows than kQueryRows is one token
  for (int t = 0; t < b.count; ++t) {
    const int seen = std::clamp(b.run->position + b.first + t + 1 - start, 0, end - start);
    std::fill_n(n_visible + t * c_.group(), c_.group(), seen);
  }
  const auto attend = [&](auto kernel, auto a, auto** pages) {
    using T = std::remove_const_t<std::remove_reference_t<decltype(**pages)>>;
    for (int i = 0; i < n_pages; ++i) pages[i] = page<T>(b.run->page_table[chunk * kChunkPages + i], layer, head);
    a.q = memory_[size(thread)].attention.get();
    a.n_rows = block_rows(b);
    a.head_dim = c_.head_dim;
    a.pages = pages;
    a.n_visible = n_visible;
    a.n_pages = n_pages;
    a.state = state;
    a.scratch = memory_[size(thread)].scratch.get();
    kernel(a);
  };
  const uint16_t* pages[kChunkPages];
  const uint8_t* pages_q8[kChunkPages];
  if (q8()) {
    attend(k_.attend_q8, AttentionQ8{}, pages_q8);
  } else {
    attend(k_.attend, Attention{}, pages);
  }
}

void CpuExecutor::store_attended(const QueryBlock& b, int head, const AttentionState& state) {
  const size_t d = size(c_.head_dim);
  for (int row = 0; row < block_rows(b); ++row) {
    const size_t token = size(b.run->first + b.first + row / c_.group());
    const size_t query_head = size(head * c_.group() + row % c_.group());
    float* out = attended_.get() + token * size(c_.q_dim()) + query_head * d;
    const float inverse = 1 / state.sum[row];
    for (size_t i = 0; i < d; ++i) out[i] = state.out[size(row) * d + i] * inverse;
  }
}

// A task is a query block of a head: chunk after chunk.
void CpuExecutor::attend_whole(int layer) {
  run(static_cast<int>(blocks_.size()) * c_.n_head_kv, [&](int i, int thread) {
    const QueryBlock& b = blocks_[size(i / c_.n_head_kv)];
    const int head = i % c_.n_head_kv;
    float* q = memory_[size(thread)].attention.get();
    load_queries(b, head, q);
    const AttentionState all = state_at(q + size(max_query_rows(c_)) * size(c_.head_dim), block_rows(b));
    const AttentionState later = state_at(all.max + state_values(c_), block_rows(b));
    attend_chunk(b, layer, head, 0, all, thread);
    for (int chunk = 1; chunk < b.n_chunks && !cancelled(*step_); ++chunk) {
      attend_chunk(b, layer, head, chunk, later, thread);
      k_.merge_attention(all, later, block_rows(b), c_.head_dim);
    }
    store_attended(b, head, all);
  });
}

// A task is a chunk of a query block of a head.
void CpuExecutor::attend_split(int layer) {
  const auto partial = [&](const QueryBlock& b, int chunk, int head) {
    const int64_t rows = block_rows(b), state = int64_t{chunk} * c_.n_head_kv + head;
    return state_at(partials_.get() + (b.partial * c_.n_head_kv + state * rows) * (c_.head_dim + 2), block_rows(b));
  };
  run(static_cast<int>(chunks_.size()) * c_.n_head_kv, [&](int i, int thread) {
    const auto [block, chunk] = chunks_[size(i / c_.n_head_kv)];
    const int head = i % c_.n_head_kv;
    load_queries(*block, head, memory_[size(thread)].attention.get());
    attend_chunk(*block, layer, head, chunk, partial(*block, chunk, head), thread);
  });
  for (const QueryBlock& b : blocks_) {
    for (int head = 0; head < c_.n_head_kv; ++head) {
      const AttentionState all = partial(b, 0, head);
      for (int chunk = 1; chunk < b.n_chunks; ++chunk) {
        k_.merge_attention(all, partial(b, chunk, head), block_rows(b), c_.head_dim);
      }
      store_attended(b, head, all);
    }
  }
}

// Keys and values are read once for each run, however many of its queries see them.
OperationWork CpuExecutor::attention_work() const {
  OperationWork work;
  for (const Run& r : step_->runs) {
    work.bytes +=
        (int64_t{r.position} + r.count) * c_.n_head_kv * static_cast<int64_t>(head_page_bytes() / kPageTokens);
    const int64_t seen = int64_t{r.count} * r.position + int64_t{r.count} * (r.count + 1) / 2;
    work.macs += 2 * seen * c_.q_dim();
  }
  return work;
}

void CpuExecutor::attention(int index) {
  profile_.time(Operation::kAttention, attention_work(), [&] {
    if (chunks_.empty()) {
      attend_whole(index);
    } else {
      attend_split(index);
    }
  });
}

void CpuExecutor::feed_forward(const Layer& layer) {
  const Input in = normalize(layer.ffn_norm, step_->n_tokens, nullptr, {&layer.gate, &layer.up});
  profile_.time(Operation::kGateUp, products(in.n_cols, {&layer.gate, &layer.up}), [&] {
    for_rows(c_.n_ff, [&](int64_t first, int64_t n, int thread) {
      float* gate = memory_[size(thread)].product.get();
      float* up = gate + n_tokens() * size(n);
      product(layer.gate, in, first, n, gate, size(n), thread);
      product(layer.up, in, first, n, up, size(n), thread);
      for (size_t i = 0; i < n_tokens(); ++i) {
        k_.swiglu(gate + i * size(n), up + i * size(n), size(n), ff_.get() + i * size(c_.n_ff) + first);
      }
    });
  });
}

void CpuExecutor::logits(const Tensor& norm, const Tensor& output) {
  const int n = static_cast<int>(step_->outputs.size());
  const Input in = normalize(norm, n, step_->outputs.data(), {&output});
  profile_.time(Operation::kLogits, products(n, {&output}), [&] {
    for_rows(c_.n_vocab, [&](int64_t first, int64_t rows, int thread) {
      product(output, in, first, rows, step_->logits + first, size(c_.n_vocab), thread);
    });
  });
}

void CpuExecutor::hidden(const Tensor& norm) {
  norm_columns(norm, static_cast<int>(step_->hidden_outputs.size()), step_->hidden_outputs.data(), step_->hidden);
}

}  // namespace

const Backend kCpuBackend = {
    "cpu",
    []() -> const char* { return nullptr; },
    page_bytes,
    working_bytes,
    [](const Model& model, ThreadPool& pool, const ExecutorOptions& options) -> std::unique_ptr<Executor> {
      return std::make_unique<CpuExecutor>(model, pool, options);
    },
};

}  // namespace nt::cpu
