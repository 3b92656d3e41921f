// Loops over candidates of sampling, compiled at more than one level: a compiler's vectors of them have the same
// values, since none adds up and nothing is fused. Internal linkage and no standard functions (see cmake/isa.cmake).
#pragma once

#include "cpu/kernels.h"
#include "sampling/exp_in_range.h"

namespace nt::cpu {
namespace {

void exp_below(const double* x, size_t n, double max, double* out) {
  for (size_t i = 0; i < n; ++i) {
    const double d = x[i] - max;
    const double e = exp_in_range(d);  // any number where that is too far below
    out[i] = d < kLeastExponent ? 0 : e;
  }
}

inline double key_of(double center, bool absolute, double logit) {
  const double difference = center - logit;
  return absolute ? __builtin_fabs(difference) : difference;
}

void bucket(const KeyRange& keys, int32_t last, const double* logits, size_t n, int32_t* out) {
  const double low = keys.low, center = keys.center, scale = last / (keys.high - low);
  const bool absolute = keys.absolute;
  for (size_t i = 0; i < n; ++i) {
    const double place = (key_of(center, absolute, logits[i]) - low) * scale;
    out[i] = static_cast<int32_t>(place < last ? place : last);
  }
}

size_t keep_in_range(const KeyRange& range, size_t begin, size_t end, size_t to, int32_t* ids, double* logits,
                     double* weights) {
  for (size_t i = begin; i < end; ++i) {
    const double key = key_of(range.center, range.absolute, logits[i]);
    const bool kept = range.low <= key && key <= range.high;  // no branch on it: half of them would be mispredicted
    ids[to] = ids[i];
    logits[to] = logits[i];
    if (weights != nullptr) weights[to] = weights[i];
    to += kept;
  }
  return to;
}

void widen(const float* x, size_t n, int32_t* ids, double* out) {
  for (size_t i = 0; i < n; ++i) out[i] = static_cast<double>(x[i]);
  for (size_t i = 0; i < n; ++i) ids[i] = static_cast<int32_t>(i);
}

// In lanes that do not wait for each other, and each extreme in a loop of its own: so they become vectors.
void extremes(const double* x, size_t n, double* least, double* most) {
  constexpr size_t kLanes = 8;
  double low[kLanes], high[kLanes];
  for (size_t j = 0; j < kLanes; ++j) low[j] = __builtin_inf(), high[j] = -__builtin_inf();
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (size_t j = 0; j < kLanes; ++j) low[j] = x[i + j] < low[j] ? x[i + j] : low[j];
  }
  for (i = 0; i + kLanes <= n; i += kLanes) {
    for (size_t j = 0; j < kLanes; ++j) high[j] = x[i + j] > high[j] ? x[i + j] : high[j];
  }
  *least = low[0], *most = high[0];
  const auto include = [&](double from, double to) {
    *least = from < *least ? from : *least;
    *most = to > *most ? to : *most;
  };
  for (size_t j = 1; j < kLanes; ++j) include(low[j], high[j]);
  for (; i < n; ++i) include(x[i], x[i]);
}

void init_sampling_loops(Kernels& k) {
  k.exp_below = exp_below;
  k.bucket = bucket;
  k.keep_in_range = keep_in_range;
  k.widen = widen;
  k.extremes = extremes;
}

}  // namespace
}  // namespace nt::cpu
