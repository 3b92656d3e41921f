#include "model/config.h"

#include <cfloat>
#include <optional>

namespace nt {
namespace {

[[noreturn]] void unsupported(const GgufFile& file, const std::string& key, const std::string& message) {
  const MetadataEntry* entry = file.find(key);
  throw Error(NT_UNSUPPORTED, message, entry != nullptr ? static_cast<int64_t>(entry->offset) : -1);
}

void check_scalar(const GgufFile& file, const std::string& key) {
  const MetadataEntry* entry = file.find(key);
  if (entry != nullptr && entry->type == NT_KV_ARRAY) {
    unsupported(file, key, key + " is an array: models whose layers differ are not supported");
  }
}

int integer(const GgufFile& file, const std::string& key, int64_t least, int64_t most, int64_t fallback = -1) {
  check_scalar(file, key);
  uint64_t value = 0;
  if (!file.get(key, &value)) {
    if (fallback < 0) throw Error(NT_FORMAT, "the file has no " + key);
    value = static_cast<uint64_t>(fallback);
  }
  if (value < static_cast<uint64_t>(least) || value > static_cast<uint64_t>(most)) {
    const MetadataEntry* entry = file.find(key);
    throw Error(NT_FORMAT,
                format("%s is %llu; %lld to %lld is possible", key.c_str(), static_cast<unsigned long long>(value),
                       static_cast<long long>(least), static_cast<long long>(most)),
                entry != nullptr ? static_cast<int64_t>(entry->offset) : -1);
  }
  return static_cast<int>(value);
}

float real(const GgufFile& file, const std::string& key, std::optional<double> fallback = {}) {
  check_scalar(file, key);
  double value = fallback.value_or(0);
  if (!file.get(key, &value) && !fallback) throw Error(NT_FORMAT, "the file has no " + key);
  // Not beyond what a float and its reciprocal can be.
  if (!(value >= static_cast<double>(FLT_MIN) && value <= static_cast<double>(1 / FLT_MIN))) {
    const MetadataEntry* entry = file.find(key);
    throw Error(NT_FORMAT, format("%s is %g; it must be a positive float", key.c_str(), value),
                entry != nullptr ? static_cast<int64_t>(entry->offset) : -1);
  }
  return static_cast<float>(value);
}

// Keys that change what a model computes and that only other families have. Each is neutral at the value beside it.
struct NeutralKey {
  const char* key;
  double neutral;
  const char* what;
};
constexpr NeutralKey kNeutralKeys[] = {
    {"llama.expert_count", 0, "mixtures of experts"},
    {"llama.expert_used_count", 0, "mixtures of experts"},
    {"llama.attention.sliding_window", 0, "sliding-window attention"},
    {"llama.attention.clamp_kqv", 0, "clamped queries and keys"},
    {"llama.attention.max_alibi_bias", 0, "ALiBi"},
    {"llama.attention.scale", 0, "another scale of attention"},
    {"llama.embedding_scale", 1, "scaled embeddings"},
    {"llama.residual_scale", 1, "scaled residuals"},
    {"llama.logit_scale", 1, "scaled logits"},
    {"llama.attn_logit_softcapping", 0, "soft-capped attention"},
    {"llama.final_logit_softcapping", 0, "soft-capped logits"},
    {"llama.rope.scaling.attn_factor", 1, "rescaled attention"},
};

void check_family(const GgufFile& file) {
  std::string_view architecture;
  if (!file.get("general.architecture", &architecture)) {
    throw Error(NT_FORMAT, "the file has no general.architecture: it holds no model, or only a part of one");
  }
  if (architecture != "llama") {
    unsupported(file, "general.architecture",
                "architecture " + quote(architecture) +
                    " is not supported. Supported: \"llama\" (Mistral, Mistral-Nemo, Llama 2 and 3, SmolLM2)");
  }
  for (const NeutralKey& k : kNeutralKeys) {
    check_scalar(file, k.key);
    double value;
    if (file.get(k.key, &value) && value != k.neutral) {
      unsupported(file, k.key,
                  format("%s is %g: %s are not supported. Supported: dense llama models", k.key, value, k.what));
    }
  }
  bool causal;
  if (file.get("llama.attention.causal", &causal) && !causal) {
    unsupported(file, "llama.attention.causal", "attention that is not causal is not supported");
  }
}

// As llama.cpp reads it: a file without a type is linear, and old files have the factor under another key.
float rope_scale(const GgufFile& file) {
  std::string_view type = "linear";
  file.get("llama.rope.scaling.type", &type);
  if (type == "none") return 1;
  if (type != "linear") {
    unsupported(file, "llama.rope.scaling.type",
                "rope scaling " + quote(type) +
                    " is not supported. Supported: \"none\", \"linear\", and the rope_freqs tensor of Llama 3");
  }
  const char* factor = "llama.rope.scaling.factor";
  return 1 / real(file, file.find(factor) != nullptr ? factor : "llama.rope.scale_linear", 1);
}

}  // namespace

Config read_config(const GgufFile& file) {
  check_family(file);
  constexpr int64_t kMany = 1 << 20;
  Config c{};
  c.n_embd = integer(file, "llama.embedding_length", 1, kMany);
  c.n_layer = integer(file, "llama.block_count", 1, 4096);
  c.n_head = integer(file, "llama.attention.head_count", 1, kMaxHeads);
  c.n_head_kv = integer(file, "llama.attention.head_count_kv", 1, kMaxHeads, c.n_head);
  c.n_ff = integer(file, "llama.feed_forward_length", 1, kMany);
  c.n_ctx_train = integer(file, "llama.context_length", 1, 1 << 30);
  if (c.n_head % c.n_head_kv != 0) {
    throw Error(NT_FORMAT, format("%d query heads cannot share %d KV heads", c.n_head, c.n_head_kv));
  }
  const bool has_key_length = file.find("llama.attention.key_length") != nullptr;
  if (!has_key_length && c.n_embd % c.n_head != 0) {
    throw Error(NT_FORMAT, format("%d heads do not divide an embedding of %d", c.n_head, c.n_embd));
  }
  c.head_dim = integer(file, "llama.attention.key_length", 2, 512, c.n_embd / c.n_head);
  const int value_dim = integer(file, "llama.attention.value_length", 1, 512, c.head_dim);
  if (value_dim != c.head_dim) {
    unsupported(file, "llama.attention.value_length",
                format("values of %d beside keys of %d are not supported: they must be equal", value_dim, c.head_dim));
  }
  c.n_rot = integer(file, "llama.rope.dimension_count", 0, c.head_dim, c.head_dim);
  if (c.n_rot % 2 != 0) throw Error(NT_FORMAT, format("llama.rope.dimension_count is %d: it must be even", c.n_rot));
  c.rms_eps = real(file, "llama.attention.layer_norm_rms_epsilon");
  c.rope_theta = real(file, "llama.rope.freq_base", 10000);
  c.rope_scale = rope_scale(file);
  return c;
}

}  // namespace nt
