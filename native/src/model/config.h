// The hyperparameters of a llama-family model, from the metadata of its file.
#pragma once

#include "gguf/gguf.h"

namespace nt {

constexpr int kMaxHeads = 512;  // query heads of a model

struct Config {
  int n_vocab, n_ctx_train, n_embd, n_layer, n_head, n_head_kv, head_dim, n_ff;
  int n_rot;  // values of a head that are rotated
  float rms_eps;
  float rope_theta;
  float rope_scale;  // positions are multiplied by it: 1 / factor for linear scaling

  int q_dim() const { return n_head * head_dim; }
  int kv_dim() const { return n_head_kv * head_dim; }
  int group() const { return n_head / n_head_kv; }  // query heads that share a KV head
};

// Throws Error: NT_UNSUPPORTED with what is supported, NT_FORMAT for a missing or impossible value.
Config read_config(const GgufFile& file);

}  // namespace nt
