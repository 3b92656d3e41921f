#include "sampling/repetition.h"

#include <algorithm>
#include <cmath>

#include "error.h"
#include "sampling/portable_math.h"

namespace nt {
namespace {

// More would be a ban by another name, and two of them no number.
constexpr double kMostDry = 1e30;

bool breaks(const nt_sampling& p, int32_t token) { return p.dry_breakers != nullptr && allowed(p.dry_breakers, token); }

}  // namespace

Repetition::Window Repetition::window(const nt_sampling& p, int32_t last_n, int n_vocab) {
  const int32_t n = last_n < 0 ? p.n_history : std::min(last_n, p.n_history);
  const Window w{p.history + (p.n_history - n), static_cast<size_t>(n)};
  for (size_t i = 0; i < w.size; ++i) {
    if (w.tokens[i] < 0 || w.tokens[i] >= n_vocab) {
      throw Error(NT_INVALID_ARGUMENT, format("the history has token %d; the vocabulary has %d", w.tokens[i], n_vocab));
    }
  }
  of_token_.resize(static_cast<size_t>(n_vocab));
  return w;
}

void Repetition::penalize(const nt_sampling& p, int n_vocab, Candidates* candidates) {
  const Window w = window(p, p.penalty_last_n, n_vocab);
  if (w.size == 0) return;
  for (size_t i = 0; i < w.size; ++i) ++of_token_[static_cast<size_t>(w.tokens[i])];
  candidates->change([&](int32_t token, double logit) {
    const int32_t count = of_token_[static_cast<size_t>(token)];
    if (count == 0) return logit;
    const double repeat = static_cast<double>(p.repeat_penalty);
    logit = logit > 0 ? logit / repeat : logit * repeat;
    return logit - count * static_cast<double>(p.frequency_penalty) - static_cast<double>(p.presence_penalty);
  });
  for (size_t i = 0; i < w.size; ++i) of_token_[static_cast<size_t>(w.tokens[i])] = 0;
}

// matched_[i]: how many tokens, limit at most, are the same before the last i tokens and at the window's end. The Z
// algorithm over the window read backwards.
void Repetition::match(Window w, size_t limit) {
  const auto back = [&](size_t i) { return w.tokens[w.size - 1 - i]; };
  matched_.assign(w.size, 0);
  size_t begin = 0, end = 0;  // the stretch furthest back that is known to be like the window's end
  for (size_t i = 1; i < w.size; ++i) {
    size_t n = i < end ? std::min(end - i, static_cast<size_t>(matched_[i - begin])) : 0;
    while (n < limit && i + n < w.size && back(n) == back(i + n)) ++n;
    if (i + n > end) begin = i, end = i + n;
    matched_[i] = static_cast<int32_t>(n);
  }
}

void Repetition::dry(const nt_sampling& p, int n_vocab, Candidates* candidates) {
  const Window w = window(p, p.dry_last_n, n_vocab);
  size_t limit = 0;  // no repetition reaches over a breaker
  while (limit < w.size && !breaks(p, w.tokens[w.size - 1 - limit])) ++limit;
  if (limit < static_cast<size_t>(p.dry_allowed_length) || w.size < 2) return;
  match(w, limit);
  found_.clear();
  for (size_t i = 1; i < w.size; ++i) {
    if (matched_[i] < p.dry_allowed_length) continue;
    const int32_t next = w.tokens[w.size - i];
    if (breaks(p, next)) continue;
    int32_t& longest = of_token_[static_cast<size_t>(next)];
    longest = std::max(longest, matched_[i]);
    found_.push_back(next);
  }
  if (found_.empty()) return;
  candidates->change([&](int32_t token, double logit) {
    const int32_t excess = of_token_[static_cast<size_t>(token)] - p.dry_allowed_length;
    if (excess < 0) return logit;
    const double penalty =
        static_cast<double>(p.dry_multiplier) * portable_pow(static_cast<double>(p.dry_base), excess);
    return logit - std::min(penalty, kMostDry);
  });
  for (int32_t token : found_) of_token_[static_cast<size_t>(token)] = 0;
}

}  // namespace nt
