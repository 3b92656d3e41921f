// The C ABI: every exception of the core becomes a status here, and nothing else happens.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <new>

#include "cpu/kernels.h"
#include "cpu/thread_pool.h"
#include "error.h"
#include "gguf/access.h"
#include "gguf/gguf.h"
#include "measure.h"
#include "model/context.h"
#include "model/fingerprint.h"
#include "model/memory.h"
#include "model/weights.h"
#include "nautil.h"
#include "sampling/sampler.h"
#include "system.h"

struct nt_file {
  std::shared_ptr<const nt::GgufFile> gguf;
};

struct nt_pool {
  explicit nt_pool(int n_threads) : threads(n_threads) {}
  nt::cpu::ThreadPool threads;
};

struct nt_model {
  std::unique_ptr<const nt::Model> model;
};

struct nt_context {
  nt_context(const nt::Model& model, nt::cpu::ThreadPool& pool, const nt_context_params& params)
      : context(model, pool, params) {}
  nt::Context context;
  mutable nt::SamplerMemory sampler;  // a context is used by one thread at a time
};

namespace {

nt_status fail(nt_error* out, const nt::Error& e) {
  if (out == nullptr) return e.status;
  std::memset(out, 0, sizeof *out);
  out->status = e.status;
  out->part = e.part;
  out->offset = e.offset;
  out->used = e.used;
  out->wanted = e.wanted;
  out->capacity = e.capacity;
  size_t n = std::min(e.message.size(), sizeof out->message - 1);
  // Not in the middle of a character.
  while (n < e.message.size() && n > 0 && (e.message[n] & 0xc0) == 0x80) --n;
  std::memcpy(out->message, e.message.data(), n);
  return e.status;
}

// Allocates nothing.
nt_status fail_without_memory(nt_error* out) noexcept {
  if (out == nullptr) return NT_OUT_OF_MEMORY;
  constexpr char kMessage[] = "out of memory";
  std::memset(out, 0, sizeof *out);
  out->status = NT_OUT_OF_MEMORY;
  out->offset = -1;
  std::memcpy(out->message, kMessage, sizeof kMessage);
  return NT_OUT_OF_MEMORY;
}

template <typename Body>
nt_status guard(nt_error* error, Body body) noexcept {
  try {
    try {
      body();
      return NT_OK;
    } catch (const nt::Error& e) {
      return fail(error, e);
    } catch (const std::bad_alloc&) {
      return fail_without_memory(error);
    } catch (const std::exception& e) {
      return fail(error, nt::Error(NT_INTERNAL, e.what()));
    }
  } catch (...) {
    return fail_without_memory(error);  // there was none even for the message
  }
}

template <typename Handle, typename Body>
Handle* create(nt_error* error, Body body) noexcept {
  Handle* handle = nullptr;
  guard(error, [&] { handle = body(); });
  return handle;
}

void require(bool holds, const char* rule) {
  if (!holds) throw nt::Error(NT_INVALID_ARGUMENT, rule);
}

template <typename... P>
void not_null(const P*... pointers) {
  require(((pointers != nullptr) && ...), "an argument is NULL");
}

int checked_threads(int32_t n) {
  require(n >= 0 && n <= 1024, "n_threads must be 0 (as many as the process may use) to 1024");
  return n == 0 ? nt::default_threads() : n;
}

template <typename T>
const T& at(const std::vector<T>& list, int64_t index, const char* what) {
  if (index < 0 || static_cast<size_t>(index) >= list.size()) {
    throw nt::Error(NT_INVALID_ARGUMENT,
                    nt::format("%s %lld; there are %zu", what, static_cast<long long>(index), list.size()));
  }
  return list[static_cast<size_t>(index)];
}

const float* logits_row(const nt_context* c, int32_t row) {
  if (row < 0 || row >= c->context.n_rows()) {
    throw nt::Error(NT_INVALID_ARGUMENT, nt::format("row %d; the last decode left %d", row, c->context.n_rows()));
  }
  return c->context.logits(row);
}

int n_vocab(const nt_context* c) { return c->context.model().config.n_vocab; }

}  // namespace

extern "C" {

const char* nt_version(void) { return "0.1.0"; }

const char* nt_isa(void) { return nt::cpu::kernels().name; }

int32_t nt_default_threads(void) {
  int32_t n = 1;
  guard(nullptr, [&] { n = nt::default_threads(); });
  return n;
}

int64_t nt_available_memory(void) {
  int64_t n = 0;
  guard(nullptr, [&] { n = nt::available_memory(); });
  return n;
}

int64_t nt_physical_memory(void) {
  int64_t n = 0;
  guard(nullptr, [&] { n = nt::physical_memory(); });
  return n;
}

int64_t nt_anonymous_memory(void) {
  int64_t n = -1;
  guard(nullptr, [&] { n = nt::anonymous_memory(); });
  return n;
}

nt_file* nt_file_open(const char* path, uint32_t flags, nt_error* error) {
  return create<nt_file>(error, [&] {
    not_null(path);
    require(flags == 0 || flags == NT_FILE_COPY || flags == NT_FILE_HEADER, "flags must be 0 or one NT_FILE_…");
    const nt::FileAccess access = flags == NT_FILE_COPY     ? nt::FileAccess::kCopy
                                  : flags == NT_FILE_HEADER ? nt::FileAccess::kHeader
                                                            : nt::FileAccess::kMap;
    return new nt_file{nt::GgufFile::open(path, access)};
  });
}

void nt_file_close(nt_file* file) { delete file; }

void nt_file_get_info(const nt_file* file, nt_file_info* out) {
  const nt::GgufFile& f = *file->gguf;
  *out = {};
  out->version = static_cast<int32_t>(f.version());
  out->n_parts = static_cast<int32_t>(f.n_parts());
  out->alignment = static_cast<int64_t>(f.alignment());
  out->n_kv = static_cast<int64_t>(f.metadata().size());
  out->n_tensors = static_cast<int64_t>(f.tensors().size());
  out->file_bytes = static_cast<int64_t>(f.file_bytes());
  for (const nt::TensorEntry& t : f.tensors()) out->tensor_bytes += static_cast<int64_t>(t.bytes);
}

nt_status nt_file_get_kv(const nt_file* file, int64_t index, nt_kv* out, nt_error* error) {
  return guard(error, [&] {
    not_null(file, out);
    const nt::MetadataEntry& e = at(file->gguf->metadata(), index, "metadata entry");
    *out = {e.key.data(), static_cast<int64_t>(e.key.size()), e.type, e.element_type, static_cast<int64_t>(e.count),
            e.data,       static_cast<int64_t>(e.bytes)};
  });
}

nt_status nt_file_copy_strings(const nt_file* file, int64_t index, uint8_t* bytes, int64_t bytes_capacity,
                               int32_t* offsets, int64_t offsets_capacity, nt_error* error) {
  return guard(error, [&] {
    not_null(file);
    nt::copy_strings(at(file->gguf->metadata(), index, "metadata entry"), bytes, bytes_capacity, offsets,
                     offsets_capacity);
  });
}

nt_status nt_file_get_tensor(const nt_file* file, int64_t index, nt_tensor_info* out, nt_error* error) {
  return guard(error, [&] {
    not_null(file, out);
    const nt::TensorEntry& t = at(file->gguf->tensors(), index, "tensor");
    *out = {};
    out->name = t.name.data();
    out->name_bytes = static_cast<int64_t>(t.name.size());
    out->type = static_cast<int32_t>(t.format);
    out->n_dims = t.n_dims;
    std::memcpy(out->shape, t.shape, sizeof out->shape);
    out->offset = static_cast<int64_t>(t.offset);
    out->bytes = static_cast<int64_t>(t.bytes);
    out->part = t.part;
  });
}

nt_status nt_file_decode_rows(const nt_file* file, int64_t tensor, int64_t first_row, int64_t n_rows, float* out,
                              int64_t out_capacity, nt_error* error) {
  return guard(error, [&] {
    not_null(file);
    nt::decode_rows(at(file->gguf->tensors(), tensor, "tensor"), first_row, n_rows, out, out_capacity);
  });
}

nt_status nt_file_touch(const nt_file* file, int64_t offset, int64_t bytes, nt_error* error) {
  return guard(error, [&] {
    not_null(file);
    require(offset >= 0 && bytes >= 0, "a range of a file cannot be negative");
    file->gguf->touch(static_cast<uint64_t>(offset), static_cast<uint64_t>(bytes));
  });
}

const char* nt_type_name(int32_t type) {
  const nt::FormatInfo* f = nt::find_format(type);
  return f != nullptr ? f->name : nullptr;
}

nt_pool* nt_pool_new(int32_t n_threads, nt_error* error) {
  return create<nt_pool>(error, [&] { return new nt_pool(checked_threads(n_threads)); });
}

void nt_pool_free(nt_pool* pool) { delete pool; }

int32_t nt_pool_threads(const nt_pool* pool) { return pool->threads.size(); }

nt_model* nt_model_new(const nt_file* file, nt_error* error) {
  return create<nt_model>(error, [&] {
    not_null(file);
    require(file->gguf->has_data(), "the file was opened for its header alone");
    return new nt_model{nt::Model::bind(file->gguf)};
  });
}

void nt_model_free(nt_model* model) { delete model; }

void nt_model_get_info(const nt_model* model, nt_model_info* out) {
  const nt::Model& m = *model->model;
  const nt::Config& c = m.config;
  *out = {c.n_vocab,
          c.n_ctx_train,
          c.n_embd,
          c.n_layer,
          c.n_head,
          c.n_head_kv,
          c.head_dim,
          c.n_ff,
          c.rope_theta,
          c.rms_eps,
          m.n_params,
          m.weight_bytes,
          m.has_float_weights ? 1 : 0,
          0};
}

nt_status nt_file_estimate(const nt_file* file, int32_t n_threads, const nt_context_params* params, int32_t copy,
                           nt_memory_estimate* out, nt_error* error) {
  return guard(error, [&] {
    not_null(file, params, out);
    const int threads = checked_threads(n_threads);
    const std::unique_ptr<const nt::Model> model = nt::Model::bind(file->gguf);
    *out = nt::estimate_memory(*model, threads, nt::checked_params(model->config, *params), copy != 0);
  });
}

uint64_t nt_model_fingerprint(const nt_model* model) { return nt::fingerprint(*model->model->file); }

nt_context* nt_context_new(const nt_model* model, nt_pool* pool, const nt_context_params* params, nt_error* error) {
  return create<nt_context>(error, [&] {
    not_null(model, pool, params);
    return new nt_context(*model->model, pool->threads, *params);
  });
}

void nt_context_free(nt_context* context) { delete context; }

void nt_context_get_info(const nt_context* context, nt_context_info* out) {
  const nt::Context& c = context->context;
  const auto bytes = static_cast<int64_t>(c.page_bytes()) / nt::KvCache::kPageTokens;
  *out = {c.cache().n_ctx(),
          c.cache().n_seq(),
          c.n_batch(),
          c.pool().size(),
          c.cache().capacity(),
          bytes,
          bytes * c.cache().allocated_tokens(),
          c.n_decoded(),
          c.kv_type(),
          0};
}

int32_t nt_context_get_profile(const nt_context* context, nt_operation* out, int32_t capacity) {
  for (int i = 0; i < nt::kOperations && i < capacity; ++i) {
    const nt::OperationTotals t = context->context.profile().of(static_cast<nt::Operation>(i));
    out[i] = {nt::kOperationNames[i], t.calls, 1e-9 * static_cast<double>(t.nanoseconds), t.work.bytes, t.work.macs};
  }
  return nt::kOperations;
}

nt_status nt_decode(nt_context* context, int32_t n, const int32_t* tokens, const int32_t* seqs,
                    const int32_t* positions, const uint8_t* want, const int32_t* cancel, nt_error* error) {
  return guard(error, [&] {
    not_null(context, tokens, seqs, positions, want);
    context->context.decode({n, tokens, seqs, positions, want, cancel});
  });
}

int32_t nt_seq_length(const nt_context* context, int32_t seq) {
  const nt::KvCache& cache = context->context.cache();
  return seq >= 0 && seq < cache.n_seq() ? cache.length(seq) : -1;
}

nt_status nt_seq_truncate(nt_context* context, int32_t seq, int32_t n, nt_error* error) {
  return guard(error, [&] {
    not_null(context);
    context->context.check_seq(seq);
    require(n >= 0, "a sequence cannot be shorter than 0 tokens");
    context->context.truncate(seq, n);
  });
}

nt_status nt_seq_fork(nt_context* context, int32_t from, int32_t to, int32_t n, nt_error* error) {
  return guard(error, [&] {
    not_null(context);
    nt::KvCache& cache = context->context.cache();
    context->context.check_seq(from);
    context->context.check_seq(to);
    require(cache.length(to) == 0 && from != to, "the sequence to fork to must be empty");
    require(n >= 0 && n <= cache.length(from), "a fork cannot be longer than its origin");
    cache.fork(from, to, n);
  });
}

int64_t nt_seq_saved_bytes(const nt_context* context, int32_t n) {
  if (n < 1 || n > nt::kMaxBlockTokens) return -1;
  return static_cast<int64_t>(nt::kv_block_bytes(context->context.layout(), n));
}

nt_status nt_seq_save(const nt_context* context, int32_t seq, int32_t first, int32_t n, uint8_t* out,
                      int64_t out_capacity, nt_error* error) {
  return guard(error, [&] {
    not_null(context, out);
    const nt::Context& c = context->context;
    c.check_seq(seq);
    require(first >= 0 && first % nt::KvCache::kPageTokens == 0, "a block begins at a multiple of 64 tokens");
    require(n >= 1 && n <= c.cache().length(seq) - first, "the sequence has no such tokens");
    require(out_capacity >= nt_seq_saved_bytes(context, n), "out must have room for nt_seq_saved_bytes");
    c.save(seq, first, n, out);
  });
}

nt_status nt_seq_load(nt_context* context, int32_t seq, const uint8_t* block, int64_t block_bytes, nt_error* error) {
  return guard(error, [&] {
    not_null(context, block);
    context->context.check_seq(seq);
    require(block_bytes >= 0, "a block cannot have fewer than 0 bytes");
    context->context.load(seq, block, static_cast<size_t>(block_bytes));
  });
}

nt_status nt_get_logits(const nt_context* context, int32_t row, float* out, int64_t out_capacity, nt_error* error) {
  return guard(error, [&] {
    not_null(context, out);
    const float* logits = logits_row(context, row);
    require(out_capacity >= n_vocab(context), "out must have room for n_vocab floats");
    std::memcpy(out, logits, static_cast<size_t>(n_vocab(context)) * sizeof(float));
  });
}

nt_status nt_top_logprobs(const nt_context* context, int32_t row, int32_t k, int32_t* tokens, float* logprobs,
                          nt_error* error) {
  return guard(error, [&] {
    not_null(context, tokens, logprobs);
    const float* logits = logits_row(context, row);
    require(k >= 1 && k <= n_vocab(context), "k must be 1 to n_vocab");
    std::vector<int32_t>& order = context->sampler.tokens;
    nt::top_k(logits, n_vocab(context), k, &context->sampler, &order);
    const double all = nt::log_sum_exp(logits, n_vocab(context), &context->sampler);
    for (int i = 0; i < k; ++i) {
      tokens[i] = order[static_cast<size_t>(i)];
      logprobs[i] = static_cast<float>(static_cast<double>(logits[tokens[i]]) - all);
    }
  });
}

nt_status nt_token_logprobs(const nt_context* context, int32_t n, const int32_t* rows, const int32_t* tokens,
                            float* logprobs, nt_error* error) {
  return guard(error, [&] {
    not_null(context, rows, tokens, logprobs);
    std::vector<double> all;
    for (int i = 0; i < n; ++i) {
      const float* logits = logits_row(context, rows[i]);
      require(tokens[i] >= 0 && tokens[i] < n_vocab(context), "a token is not in the vocabulary");
      const bool again = i > 0 && rows[i] == rows[i - 1];
      all.push_back(again ? all.back() : nt::log_sum_exp(logits, n_vocab(context), &context->sampler));
    }
    for (int i = 0; i < n; ++i) {
      const double logit = static_cast<double>(logits_row(context, rows[i])[tokens[i]]);
      logprobs[i] = static_cast<float>(logit - all[static_cast<size_t>(i)]);
    }
  });
}

void nt_sampling_init(nt_sampling* out) {
  *out = {};
  out->temperature = out->temperature_exponent = 1;
  out->top_p = out->typical_p = 1;
  out->xtc_threshold = 0.1f;
  out->repeat_penalty = 1;
  out->dry_base = 1.75f;
  out->dry_allowed_length = 2;
  out->mirostat_eta = 0.1f;
}

nt_status nt_sample(const nt_context* context, int32_t n, const int32_t* rows, nt_sampling* params,
                    const uint64_t* masks, int32_t* tokens, nt_error* error) {
  return guard(error, [&] {
    not_null(context, rows, params, tokens);
    nt::SamplerMemory& memory = context->sampler;
    memory.tokens.clear();
    memory.mirostat_mu.clear();
    for (int i = 0; i < n; ++i) {
      const float* logits = logits_row(context, rows[i]);
      const size_t words = (static_cast<size_t>(n_vocab(context)) + 63) / 64;
      const uint64_t* mask = masks != nullptr ? masks + static_cast<size_t>(i) * words : nullptr;
      double mu = 0;
      memory.tokens.push_back(nt::sample(logits, n_vocab(context), params[i], mask, &memory, &mu));
      memory.mirostat_mu.push_back(mu);
    }
    std::copy(memory.tokens.begin(), memory.tokens.end(), tokens);
    for (int i = 0; i < n; ++i) params[i].mirostat_mu = memory.mirostat_mu[static_cast<size_t>(i)];
  });
}

nt_status nt_add_hidden(const nt_context* context, int32_t first, int32_t n, double* sum, int64_t sum_capacity,
                        nt_error* error) {
  return guard(error, [&] {
    not_null(context, sum);
    const nt::Context& c = context->context;
    const int n_embd = c.model().config.n_embd;
    if (first < 0 || n < 0 || first > c.n_hidden_rows() - n) {
      throw nt::Error(NT_INVALID_ARGUMENT, nt::format("%d rows of hidden states from %d on; the last decode left %d", n,
                                                      first, c.n_hidden_rows()));
    }
    require(sum_capacity >= n_embd, "sum must have room for n_embd doubles");
    const float* rows = c.hidden(first);
    const float* end = rows + int64_t{n} * n_embd;
    if (!std::all_of(rows, end, [](float v) { return std::isfinite(v); })) {
      throw nt::Error(NT_INTERNAL, "a hidden state is no finite number: the model's weights are broken");
    }
    for (; rows != end; rows += n_embd) {
      for (int i = 0; i < n_embd; ++i) sum[i] += static_cast<double>(rows[i]);
    }
  });
}

nt_status nt_measure_bandwidth(nt_pool* pool, double* bytes_per_second, nt_error* error) {
  return guard(error, [&] {
    not_null(pool, bytes_per_second);
    *bytes_per_second = nt::measure_bandwidth(pool->threads);
  });
}

nt_status nt_measure_dot(nt_pool* pool, double* macs_per_second, nt_error* error) {
  return guard(error, [&] {
    not_null(pool, macs_per_second);
    *macs_per_second = nt::measure_dot(pool->threads);
  });
}

}  // extern "C"
