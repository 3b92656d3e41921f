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
  const auto outside = [n_vocab](int32_t token) { return token < 0 || token >= n_vocab; };
  int bad = 0;
  for (size_t i = 0; i < w.size; ++i) bad |= outside(w.tokens[i]);
  if (bad != 0) {
    const int32_t token = *std::find_if(w.tokens, w.tokens + w.size, outside);
    throw Error(NT_INVALID_ARGUMENT, format("the history has token %d; the vocabulary has %d", token, n_vocab));
  }
  of_token_.resize(static_cast<size_t>(n_vocab));
  found_.clear();
  return w;
}

template <class F>
void Repetition::change(Candidates* candidates, F f) {
  if (found_.empty()) return;
  candidates->change(found_.data(), found_.size(), [&](int32_t token, double logit) {
    const int32_t number = of_token_[static_cast<size_t>(token)];
    return number == 0 ? logit : f(number, logit);
  });
  for (int32_t token : found_) of_token_[static_cast<size_t>(token)] = 0;
}

void Repetition::penalize(const nt_sampling& p, int n_vocab, Candidates* candidates) {
  const Window w = window(p, p.penalty_last_n, n_vocab);
  for (size_t i = 0; i < w.size; ++i) {
    if (of_token_[static_cast<size_t>(w.tokens[i])]++ == 0) found_.push_back(w.tokens[i]);
  }
  change(candidates, [&](int32_t count, double logit) {
    const double repeat = static_cast<double>(p.repeat_penalty);
    logit = logit > 0 ? logit / repeat : logit * repeat;
    return logit - count * static_cast<double>(p.frequency_penalty) - static_cast<double>(p.presence_penalty);
  });
}

// Of each token, the length of the longest sequence before it, of no more than `limit` tokens, that also ends the
// window. The Z algorithm over the window read backwards, which looks only at places before which is the last token.
void Repetition::find_repeated(const nt_sampling& p, Window w, size_t limit) {
  const auto back = [&](size_t i) { return w.tokens[w.size - 1 - i]; };
  const int32_t latest = back(0);
  constexpr size_t kFew = 64;  // looked at together: most have none
  matched_.assign(w.size, 0);
  size_t begin = 0, end = 0;  // the stretch furthest back that is known to be like the window's end
  for (size_t few = 1; few < w.size; few += kFew) {
    const size_t few_end = std::min(few + kFew, w.size);
    int any = 0;
    for (size_t i = few; i < few_end; ++i) any |= back(i) == latest;
    if (any == 0) continue;
    for (size_t i = few; i < few_end; ++i) {
      if (back(i) != latest) continue;
      size_t n = i < end ? std::min(end - i, static_cast<size_t>(matched_[i - begin])) : 0;
      while (n < limit && i + n < w.size && back(n) == back(i + n)) ++n;
      if (i + n > end) begin = i, end = i + n;
      matched_[i] = static_cast<int32_t>(n);
      note(p, back(i - 1), matched_[i]);
      // Each place left is in a stretch that repeats another, before the same token and as long at least.
      if (end == w.size) return;
    }
  }
}

void Repetition::note(const nt_sampling& p, int32_t next, int32_t length) {
  if (length < p.dry_allowed_length || breaks(p, next)) return;
  int32_t& longest = of_token_[static_cast<size_t>(next)];
  if (longest == 0) found_.push_back(next);
  if (length > longest) longest = length;
}

void Repetition::dry(const nt_sampling& p, int n_vocab, Candidates* candidates) {
  const Window w = window(p, p.dry_last_n, n_vocab);
  size_t limit = p.dry_breakers == nullptr ? w.size : 0;  // no repetition reaches over a breaker
  while (limit < w.size && !breaks(p, w.tokens[w.size - 1 - limit])) ++limit;
  if (limit < static_cast<size_t>(p.dry_allowed_length) || w.size < 2) return;
  find_repeated(p, w, limit);
  int32_t excess = 0;
  double penalty = static_cast<double>(p.dry_multiplier);  // of this excess: most have the same
  change(candidates, [&](int32_t length, double logit) {
    if (length - p.dry_allowed_length != excess) {
      excess = length - p.dry_allowed_length;
      penalty = static_cast<double>(p.dry_multiplier) * portable_pow(static_cast<double>(p.dry_base), excess);
    }
    return logit - std::min(penalty, kMostDry);
  });
}

}  // namespace nt
