// The weights of a llama-family model, bound to the tensors of its file.
#pragma once

#include <memory>
#include <vector>

#include "gguf/gguf.h"
#include "model/config.h"
#include "tensor/tensor.h"

namespace nt {

// Shapes are (rows, columns): a matrix maps columns to rows.
struct Layer {
  Tensor attn_norm;  // (1, n_embd)
  Tensor wq;         // (n_head · head_dim, n_embd)
  Tensor wk, wv;     // (n_head_kv · head_dim, n_embd)
  Tensor wo;         // (n_embd, n_head · head_dim)
  Tensor ffn_norm;   // (1, n_embd)
  Tensor gate, up;   // (n_ff, n_embd)
  Tensor down;       // (n_embd, n_ff)
};

struct Model {
  std::shared_ptr<const GgufFile> file;  // keeps the bytes alive
  Config config;
  Tensor token_embd;  // (n_vocab, n_embd)
  std::vector<Layer> layers;
  Tensor output_norm;  // (1, n_embd)
  Tensor output;       // (n_vocab, n_embd); token_embd where the file ties them
  Tensor rope_freqs;   // (1, n_rot / 2), or none: a frequency is divided by it
  int64_t n_params = 0;
  int64_t weight_bytes = 0;
  bool has_float_weights = false;  // a matrix of a product is F32, F16 or BF16

  // The file may be a header alone: what the model is, but nothing to run. Throws Error: NT_UNSUPPORTED, NT_FORMAT.
  static std::unique_ptr<const Model> bind(std::shared_ptr<const GgufFile> file);
};

}  // namespace nt
