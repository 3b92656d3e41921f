// Each stage of sampling by its published definition, over a map from token to logit, in long double and by sorting all
// of it: nothing in common with the core but nt_sampling.
#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "nautil.h"

namespace test {

using Real = long double;
using Logits = std::map<int, Real>;

struct Probable {
  int token;
  Real logit, p;
};

// Probabilities, most probable first, lower id first among equals.
inline std::vector<Probable> softmax(const Logits& logits) {
  std::vector<Probable> all;
  for (const auto& [token, logit] : logits) all.push_back({token, logit, 0});
  std::stable_sort(all.begin(), all.end(), [](const Probable& a, const Probable& b) { return a.logit > b.logit; });
  Real total = 0;
  for (Probable& x : all) total += x.p = std::exp(x.logit - all[0].logit);
  for (Probable& x : all) x.p /= total;
  return all;
}

inline Real entropy(const std::vector<Probable>& all) {
  Real h = 0;
  for (const Probable& x : all) h -= x.p > 0 ? x.p * std::log(x.p) : 0;
  return h;
}

// The first tokens that have `mass` together.
inline Logits first_with(const std::vector<Probable>& ordered, Real mass) {
  Logits kept;
  Real sum = 0;
  for (const Probable& x : ordered) {
    if (sum >= mass) break;
    sum += x.p;
    kept[x.token] = x.logit;
  }
  return kept;
}

template <class F>
Logits where(const std::vector<Probable>& all, F f) {
  Logits kept;
  for (const Probable& x : all) {
    if (f(x)) kept[x.token] = x.logit;
  }
  return kept;
}

inline std::vector<int> window(const nt_sampling& p, int last_n) {
  const int n = last_n < 0 || last_n > p.n_history ? p.n_history : last_n;
  return std::vector<int>(p.history + p.n_history - n, p.history + p.n_history);
}

inline bool is_breaker(const nt_sampling& p, int token) {
  return p.dry_breakers != nullptr && (p.dry_breakers[token / 64] >> (token % 64)) % 2 == 1;
}

inline void penalties(const nt_sampling& p, Logits* logits) {
  std::map<int, int> counts;
  for (int token : window(p, p.penalty_last_n)) ++counts[token];
  for (auto& [token, logit] : *logits) {
    if (counts.count(token) == 0) continue;
    logit = logit > 0 ? logit / p.repeat_penalty : logit * p.repeat_penalty;
    logit -= counts[token] * static_cast<Real>(p.frequency_penalty) + static_cast<Real>(p.presence_penalty);
  }
}

// For each place in the history, how long the sequence before it is that also ends the history.
inline void dry(const nt_sampling& p, Logits* logits) {
  const std::vector<int> h = window(p, p.dry_last_n);
  const int n = static_cast<int>(h.size());
  std::map<int, int> longest;
  for (int place = 1; place < n; ++place) {
    const int next = h[static_cast<size_t>(place)];
    int length = 0;
    while (length < place) {
      const int earlier = h[static_cast<size_t>(place - 1 - length)], latest = h[static_cast<size_t>(n - 1 - length)];
      if (earlier != latest || is_breaker(p, latest)) break;
      ++length;
    }
    if (!is_breaker(p, next)) longest[next] = std::max(longest[next], length);
  }
  for (auto& [token, logit] : *logits) {
    const int length = longest.count(token) != 0 ? longest[token] : 0;
    if (length < p.dry_allowed_length) continue;
    const Real penalty = p.dry_multiplier * std::pow(static_cast<Real>(p.dry_base), length - p.dry_allowed_length);
    logit -= std::min(penalty, static_cast<Real>(1e30));
  }
}

inline Logits top_n_sigma(const nt_sampling& p, const std::vector<Probable>& all) {
  Real mean = 0, variance = 0;
  for (const Probable& x : all) mean += x.logit / static_cast<Real>(all.size());
  for (const Probable& x : all) variance += (x.logit - mean) * (x.logit - mean) / static_cast<Real>(all.size());
  return where(all, [&](const Probable& x) { return x.logit >= all[0].logit - p.top_n_sigma * std::sqrt(variance); });
}

inline Logits typical(const nt_sampling& p, std::vector<Probable> all) {
  const Real h = entropy(all);
  const auto distance = [h](const Probable& x) { return std::fabs(-std::log(x.p) - h); };
  std::stable_sort(all.begin(), all.end(),
                   [&](const Probable& a, const Probable& b) { return distance(a) < distance(b); });
  return first_with(all, p.typical_p);
}

// acts: the draw whether it does.
inline Logits xtc(const nt_sampling& p, const std::vector<Probable>& all, bool acts) {
  size_t above = 0;
  while (above < all.size() && all[above].p >= static_cast<Real>(p.xtc_threshold)) ++above;
  Logits kept;
  for (size_t i = 0; i < all.size(); ++i) {
    const bool removed = i + 1 < above;
    if (acts && removed && std::count(p.xtc_exempt, p.xtc_exempt + p.n_xtc_exempt, all[i].token) != 0) acts = false;
  }
  for (size_t i = 0; i < all.size(); ++i) {
    if (!acts || i + 1 >= above) kept[all[i].token] = all[i].logit;
  }
  return kept;
}

inline Logits temperature(const nt_sampling& p, const std::vector<Probable>& all) {
  Real t = p.temperature;
  if (p.temperature_range > 0 && all.size() > 1) {
    const Real low = std::max<Real>(0, t - static_cast<Real>(p.temperature_range));
    const Real high = t + static_cast<Real>(p.temperature_range);
    const Real part = std::min<Real>(1, entropy(all) / std::log(static_cast<Real>(all.size())));
    t = low + (high - low) * std::pow(part, static_cast<Real>(p.temperature_exponent));
  }
  if (t == 0) return {{all[0].token, all[0].logit}};
  Logits divided;
  for (const Probable& x : all) divided[x.token] = x.logit / t;
  return divided;
}

inline Logits mirostat(const nt_sampling& p, const std::vector<Probable>& all) {
  Logits kept{{all[0].token, all[0].logit}};
  for (const Probable& x : all) {
    if (-std::log2(x.p) <= p.mirostat_mu) kept[x.token] = x.logit;
  }
  return kept;
}

inline bool is_off(int which, const nt_sampling& p) {
  switch (which) {
    case NT_STAGE_PENALTIES:
      return p.repeat_penalty == 1 && p.frequency_penalty == 0 && p.presence_penalty == 0;
    case NT_STAGE_DRY:
      return p.dry_multiplier <= 0;
    case NT_STAGE_TOP_N_SIGMA:
      return p.top_n_sigma <= 0;
    case NT_STAGE_TOP_K:
      return p.top_k <= 0;
    case NT_STAGE_TYPICAL:
      return p.typical_p >= 1;
    case NT_STAGE_TOP_P:
      return p.top_p >= 1;
    case NT_STAGE_MIN_P:
      return p.min_p <= 0;
    case NT_STAGE_XTC:
      return p.xtc_probability <= 0;
    default:
      return p.temperature == 1 && p.temperature_range <= 0;
  }
}

inline Logits stage(int which, const nt_sampling& p, Logits logits, bool xtc_acts) {
  if (is_off(which, p)) return logits;
  const std::vector<Probable> all = softmax(logits);
  switch (which) {
    case NT_STAGE_PENALTIES:
      penalties(p, &logits);
      return logits;
    case NT_STAGE_DRY:
      dry(p, &logits);
      return logits;
    case NT_STAGE_TOP_N_SIGMA:
      return top_n_sigma(p, all);
    case NT_STAGE_TOP_K:
      return where(all, [&](const Probable& x) { return &x < all.data() + p.top_k; });
    case NT_STAGE_TYPICAL:
      return typical(p, all);
    case NT_STAGE_TOP_P:
      return first_with(all, p.top_p);
    case NT_STAGE_MIN_P:
      return where(all, [&](const Probable& x) { return x.p >= p.min_p * all[0].p; });
    case NT_STAGE_XTC:
      return xtc(p, all, xtc_acts);
    default:
      return temperature(p, all);
  }
}

// What is left after all of it, most probable first. xtc_acts: where xtc_probability is 1, true.
inline std::vector<Probable> reference(const std::vector<float>& row, const nt_sampling& p, const uint64_t* mask,
                                       bool xtc_acts) {
  Logits logits;
  for (size_t t = 0; t < row.size(); ++t) {
    if (mask == nullptr || (mask[t / 64] >> (t % 64)) % 2 == 1) logits[static_cast<int>(t)] = row[t];
  }
  for (int i = 0; i < p.n_biases; ++i) {
    const auto at = logits.find(p.bias_tokens[i]);
    if (at != logits.end()) at->second += p.biases[i];
  }
  for (auto at = logits.begin(); at != logits.end();) at = std::isinf(at->second) ? logits.erase(at) : std::next(at);
  std::vector<int> order(p.order, std::find(p.order, p.order + sizeof p.order, NT_STAGE_END));
  if (order.empty()) order = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  for (int which : order) logits = stage(which, p, std::move(logits), xtc_acts);
  if (p.mirostat_tau > 0) logits = mirostat(p, softmax(logits));
  return softmax(logits);
}

}  // namespace test
