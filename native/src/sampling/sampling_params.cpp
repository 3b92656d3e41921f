#include "sampling/sampling_params.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "error.h"

namespace nt {
namespace {

constexpr uint8_t kDefaultOrder[] = {NT_STAGE_PENALTIES, NT_STAGE_DRY,     NT_STAGE_TOP_N_SIGMA,
                                     NT_STAGE_TOP_K,     NT_STAGE_TYPICAL, NT_STAGE_TOP_P,
                                     NT_STAGE_MIN_P,     NT_STAGE_XTC,     NT_STAGE_TEMPERATURE};
constexpr int kStages = NT_STAGE_TEMPERATURE;
static_assert(std::size(kDefaultOrder) == kStages && kStages < sizeof(nt_sampling::order));

void require(bool holds, const char* name, double value, const char* range) {
  if (!holds) throw Error(NT_INVALID_ARGUMENT, format("%s is %g; it must be %s", name, value, range));
}

void require(bool holds, const char* name, float value, const char* range) {
  require(holds, name, static_cast<double>(value), range);
}

void require(bool holds, const char* name, int32_t value, const char* range) {
  if (!holds) throw Error(NT_INVALID_ARGUMENT, format("%s is %d; it must be %s", name, value, range));
}

void require_array(const void* array, int32_t n, const char* name, const char* count) {
  require(n >= 0, count, n, "0 or more");
  if (n > 0 && array == nullptr) {
    throw Error(NT_INVALID_ARGUMENT, format("%s is NULL, but %s is %d", name, count, n));
  }
}

bool probability(float x) { return x >= 0 && x <= 1; }
bool positive_probability(float x) { return x > 0 && x <= 1; }
bool not_negative(float x) { return x >= 0 && std::isfinite(x); }

void check_biases(const nt_sampling& p, int n_vocab) {
  require_array(p.bias_tokens, p.n_biases, "bias_tokens", "n_biases");
  require_array(p.biases, p.n_biases, "biases", "n_biases");
  for (int i = 0; i < p.n_biases; ++i) {
    if (p.bias_tokens[i] < 0 || p.bias_tokens[i] >= n_vocab) {
      throw Error(NT_INVALID_ARGUMENT,
                  format("bias_tokens[%d] is %d; it must be from 0 to %d", i, p.bias_tokens[i], n_vocab - 1));
    }
    if (!(p.biases[i] < HUGE_VALF)) {
      throw Error(NT_INVALID_ARGUMENT, format("biases[%d] is %g; it must be a finite number or -infinity", i,
                                              static_cast<double>(p.biases[i])));
    }
  }
}

void check_order(const nt_sampling& p) {
  unsigned seen = 0;
  for (uint8_t stage : p.order) {
    if (stage == NT_STAGE_END) return;
    if (stage > kStages) {
      throw Error(NT_INVALID_ARGUMENT, format("order has %d; a stage is from 1 to %d", stage, kStages));
    }
    if ((seen >> stage & 1) != 0) {
      throw Error(NT_INVALID_ARGUMENT, format("order has stage %d twice; a stage runs once at most", stage));
    }
    seen |= 1u << stage;
  }
}

bool does_something(nt_stage stage, const nt_sampling& p) {
  switch (stage) {
    case NT_STAGE_END:
      return false;
    case NT_STAGE_PENALTIES:
      return p.n_history > 0 && p.penalty_last_n != 0 &&
             (p.repeat_penalty != 1 || p.frequency_penalty != 0 || p.presence_penalty != 0);
    case NT_STAGE_DRY:
      return p.n_history > 0 && p.dry_last_n != 0 && p.dry_multiplier > 0;
    case NT_STAGE_TOP_N_SIGMA:
      return p.top_n_sigma > 0;
    case NT_STAGE_TOP_K:
      return p.top_k > 0;
    case NT_STAGE_TYPICAL:
      return p.typical_p < 1;
    case NT_STAGE_TOP_P:
      return p.top_p < 1;
    case NT_STAGE_MIN_P:
      return p.min_p > 0;
    case NT_STAGE_XTC:
      return p.xtc_probability > 0;
    case NT_STAGE_TEMPERATURE:
      return p.temperature != 1 || p.temperature_range > 0;
  }
  return false;
}

}  // namespace

void check(const nt_sampling& p, int n_vocab) {
  require(not_negative(p.temperature), "temperature", p.temperature, "0 or more");
  require(not_negative(p.temperature_range), "temperature_range", p.temperature_range, "0 (off) or more");
  require(p.temperature_exponent > 0 && std::isfinite(p.temperature_exponent), "temperature_exponent",
          p.temperature_exponent, "above 0");
  require(p.top_k >= 0, "top_k", p.top_k, "0 (off) or more");
  require(positive_probability(p.top_p), "top_p", p.top_p, "above 0 and at most 1");
  require(probability(p.min_p), "min_p", p.min_p, "from 0 to 1");
  require(positive_probability(p.typical_p), "typical_p", p.typical_p, "above 0 and at most 1");
  require(not_negative(p.top_n_sigma), "top_n_sigma", p.top_n_sigma, "0 (off) or more");
  require(probability(p.xtc_probability), "xtc_probability", p.xtc_probability, "from 0 to 1");
  require(positive_probability(p.xtc_threshold), "xtc_threshold", p.xtc_threshold, "above 0 and at most 1");
  require(p.penalty_last_n >= -1, "penalty_last_n", p.penalty_last_n, "-1 (the whole history), 0 (off) or more");
  require(p.repeat_penalty > 0 && std::isfinite(p.repeat_penalty), "repeat_penalty", p.repeat_penalty, "above 0");
  require(std::isfinite(p.frequency_penalty), "frequency_penalty", p.frequency_penalty, "a finite number");
  require(std::isfinite(p.presence_penalty), "presence_penalty", p.presence_penalty, "a finite number");
  require(not_negative(p.dry_multiplier), "dry_multiplier", p.dry_multiplier, "0 (off) or more");
  require(p.dry_base >= 1 && std::isfinite(p.dry_base), "dry_base", p.dry_base, "1 or more");
  require(p.dry_allowed_length >= 1, "dry_allowed_length", p.dry_allowed_length, "1 or more");
  require(p.dry_last_n >= -1, "dry_last_n", p.dry_last_n, "-1 (the whole history), 0 (off) or more");
  require(not_negative(p.mirostat_tau), "mirostat_tau", p.mirostat_tau, "0 (off) or more");
  require(not_negative(p.mirostat_eta), "mirostat_eta", p.mirostat_eta, "0 or more");
  require(std::isfinite(p.mirostat_mu), "mirostat_mu", p.mirostat_mu, "a finite number");
  require_array(p.history, p.n_history, "history", "n_history");
  require_array(p.xtc_exempt, p.n_xtc_exempt, "xtc_exempt", "n_xtc_exempt");
  check_biases(p, n_vocab);
  check_order(p);
}

Stages::Stages(const nt_sampling& p) {
  const bool ordered = p.order[0] != NT_STAGE_END;
  const uint8_t* begin = ordered ? std::begin(p.order) : std::begin(kDefaultOrder);
  const uint8_t* end = ordered ? std::find(begin, std::end(p.order), NT_STAGE_END) : std::end(kDefaultOrder);
  for (; begin != end; ++begin) {
    const auto stage = static_cast<nt_stage>(*begin);
    if (does_something(stage, p)) stages_[size_++] = stage;
  }
}

bool Stages::has(nt_stage stage) const {
  return std::find(stages_.begin(), stages_.begin() + size_, stage) != stages_.begin() + size_;
}

}  // namespace nt
