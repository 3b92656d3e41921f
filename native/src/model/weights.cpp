#include "model/weights.h"

#include <cmath>
#include <set>

namespace nt {
namespace {

class Binder {
 public:
  explicit Binder(const GgufFile& file) : file_(file) {}

  // An optional tensor; empty if the file has none of that name.
  Tensor find(const std::string& name, int64_t n_rows, int64_t n_cols) {
    const TensorEntry* t = file_.find_tensor(name);
    if (t == nullptr) return {};
    if (t->n_rows() != n_rows || t->shape[0] != n_cols || (n_rows > 1 && t->shape[1] != n_rows)) {
      fail(*t, format("tensor %s is %lld × %lld; the configuration says %lld × %lld", name.c_str(),
                      static_cast<long long>(t->n_rows()), static_cast<long long>(t->shape[0]),
                      static_cast<long long>(n_rows), static_cast<long long>(n_cols)));
    }
    used_.insert(t);
    Tensor out;
    out.name = t->name;
    out.format = t->format;
    out.n_rows = n_rows;
    out.n_cols = n_cols;
    out.data = t->data;
    return out;
  }

  Tensor matrix(const std::string& name, int64_t n_rows, int64_t n_cols) {
    Tensor t = find(name, n_rows, n_cols);
    if (!t) throw Error(NT_FORMAT, "the file has no tensor " + name);
    has_float_weights |= !info(t.format).quantized;
    return t;
  }

  // Vectors are read where they lie, as floats.
  Tensor vector(const std::string& name, int64_t n) {
    Tensor t = find(name, 1, n);
    if (!t) throw Error(NT_FORMAT, "the file has no tensor " + name);
    require_f32(t);
    return t;
  }

  void require_f32(const Tensor& t) const {
    if (t.format != Format::F32) {
      throw Error(NT_UNSUPPORTED, format("tensor %.*s is %s; only F32 is supported for vectors",
                                         static_cast<int>(t.name.size()), t.name.data(), info(t.format).name));
    }
    if (reinterpret_cast<uintptr_t>(t.data) % alignof(float) != 0)
      fail(*file_.find_tensor(t.name), "a vector of floats is not aligned");
  }

  // Frequencies of the rotation are divided by these.
  void require_factors(const Tensor& t) const {
    require_f32(t);
    if (t.data == nullptr) return;
    for (int64_t i = 0; i < t.n_cols; ++i) {
      const float factor = reinterpret_cast<const float*>(t.data)[i];
      if (factor > 0 && std::isfinite(factor)) continue;
      fail(*file_.find_tensor(t.name),
           format("value %lld of tensor %.*s is %g; it must be a number above 0", static_cast<long long>(i),
                  static_cast<int>(t.name.size()), t.name.data(), static_cast<double>(factor)));
    }
  }

  // A tensor that no one asked for means that the model computes something else than we would.
  void check_all_used() const {
    std::string names;
    int n = 0;
    for (const TensorEntry& t : file_.tensors()) {
      if (used_.count(&t) != 0) continue;
      if (++n <= 5) names += (n > 1 ? ", " : "") + quote(t.name);
    }
    if (n == 0) return;
    if (n > 5) names += format(" and %d more", n - 5);
    throw Error(NT_UNSUPPORTED,
                "the file has tensors that a llama model does not use: " + names +
                    ". Supported: token_embd, output_norm, output, rope_freqs and in each block attn_norm, "
                    "attn_q, attn_k, attn_v, attn_output, ffn_norm, ffn_gate, ffn_up, ffn_down (weights, no biases)");
  }

  bool has_float_weights = false;

 private:
  [[noreturn]] static void fail(const TensorEntry& t, const std::string& message) {
    throw Error(NT_FORMAT, message, static_cast<int64_t>(t.offset), t.part);
  }

  const GgufFile& file_;
  std::set<const TensorEntry*> used_;
};

}  // namespace

std::unique_ptr<const Model> Model::bind(std::shared_ptr<const GgufFile> file) {
  auto m = std::make_unique<Model>();
  m->file = file;
  Config& c = m->config;
  c = read_config(*file);
  const TensorEntry* embedding = file->find_tensor("token_embd.weight");
  if (embedding == nullptr) throw Error(NT_FORMAT, "the file has no tensor token_embd.weight");
  if (embedding->n_rows() < 1 || embedding->n_rows() > (1 << 24)) {
    throw Error(NT_FORMAT, format("token_embd.weight has %lld rows", static_cast<long long>(embedding->n_rows())),
                static_cast<int64_t>(embedding->offset), embedding->part);
  }
  c.n_vocab = static_cast<int>(embedding->n_rows());

  Binder b(*file);
  m->token_embd = b.find("token_embd.weight", c.n_vocab, c.n_embd);
  for (int i = 0; i < c.n_layer; ++i) {
    const std::string block = "blk." + std::to_string(i) + ".";
    Layer l;
    l.attn_norm = b.vector(block + "attn_norm.weight", c.n_embd);
    l.wq = b.matrix(block + "attn_q.weight", c.q_dim(), c.n_embd);
    l.wk = b.matrix(block + "attn_k.weight", c.kv_dim(), c.n_embd);
    l.wv = b.matrix(block + "attn_v.weight", c.kv_dim(), c.n_embd);
    l.wo = b.matrix(block + "attn_output.weight", c.n_embd, c.q_dim());
    l.ffn_norm = b.vector(block + "ffn_norm.weight", c.n_embd);
    l.gate = b.matrix(block + "ffn_gate.weight", c.n_ff, c.n_embd);
    l.up = b.matrix(block + "ffn_up.weight", c.n_ff, c.n_embd);
    l.down = b.matrix(block + "ffn_down.weight", c.n_embd, c.n_ff);
    m->layers.push_back(l);
  }
  m->output_norm = b.vector("output_norm.weight", c.n_embd);
  m->output = b.find("output.weight", c.n_vocab, c.n_embd);
  if (!m->output) m->output = m->token_embd;
  m->rope_freqs = b.find("rope_freqs.weight", 1, c.n_rot / 2);
  if (m->rope_freqs) b.require_factors(m->rope_freqs);
  b.check_all_used();

  m->has_float_weights = b.has_float_weights || !info(m->output.format).quantized;
  for (const TensorEntry& t : file->tensors()) {
    m->n_params += t.n_rows() * t.shape[0];
    m->weight_bytes += static_cast<int64_t>(t.bytes);
  }
  return m;
}

}  // namespace nt
