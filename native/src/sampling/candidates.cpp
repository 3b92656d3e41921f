#include "sampling/candidates.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "cpu/kernels.h"
#include "error.h"

namespace nt {
namespace {

constexpr size_t kLanes = 8;

double largest(const std::vector<double>& x) {
  double lanes[kLanes];
  std::fill(lanes, lanes + kLanes, -HUGE_VAL);
  size_t i = 0;
  for (; i + kLanes <= x.size(); i += kLanes) {
    for (size_t j = 0; j < kLanes; ++j) lanes[j] = x[i + j] > lanes[j] ? x[i + j] : lanes[j];
  }
  for (; i < x.size(); ++i) lanes[0] = std::max(lanes[0], x[i]);
  return *std::max_element(lanes, lanes + kLanes);
}

[[noreturn]] void refuse(const float* logits, int n_vocab, const uint64_t* mask) {
  bool any = false;
  for (int t = 0; t < n_vocab; ++t) {
    if (!allowed(mask, t)) continue;
    any = true;
    if (std::isnan(logits[t])) throw Error(NT_INTERNAL, format("the logit of token %d is not a number", t));
  }
  if (!any) throw Error(NT_INVALID_ARGUMENT, "the mask allows no token");
  for (int t = 0; t < n_vocab; ++t) {
    if (allowed(mask, t) && logits[t] > 0) {
      if (std::isinf(logits[t])) throw Error(NT_INTERNAL, format("the largest logit is inf (token %d)", t));
    }
  }
  throw Error(NT_INTERNAL, "the largest logit is -inf: no token that is allowed has a probability");
}

}  // namespace

bool allowed(const uint64_t* mask, int token) { return mask == nullptr || (mask[token / 64] >> (token % 64) & 1) != 0; }

double sum(const double* x, size_t n) {
  double lanes[kLanes] = {};
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (size_t j = 0; j < kLanes; ++j) lanes[j] += x[i + j];
  }
  for (size_t j = 0; i < n; ++i, ++j) lanes[j] += x[i];
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

void Candidates::load(const float* logits, int n_vocab, const uint64_t* mask) {
  ids_.resize(static_cast<size_t>(n_vocab));
  logits_.resize(static_cast<size_t>(n_vocab));
  int excluded = 0, nans = 0;
  for (int t = 0; t < n_vocab; ++t) excluded += !(logits[t] > -HUGE_VALF);
  size_t n = 0;
  if (mask == nullptr && excluded == 0) {
    n = ids_.size();
    std::iota(ids_.begin(), ids_.end(), 0);
    for (size_t i = 0; i < n; ++i) logits_[i] = static_cast<double>(logits[i]);
  } else {
    for (int32_t t = 0; t < n_vocab; ++t) {
      if (mask != nullptr && t % 64 == 0 && mask[t / 64] == 0) {
        t += 63;
        continue;
      }
      if (!allowed(mask, t)) continue;
      ids_[n] = t;
      logits_[n] = static_cast<double>(logits[t]);
      nans += logits[t] != logits[t];
      n += logits[t] > -HUGE_VALF;
    }
  }
  if (nans > 0 || n == 0) refuse(logits, n_vocab, mask);
  ids_.resize(n);
  logits_.resize(n);
  max_ = largest(logits_);
  weighed_ = false;
  if (max_ == HUGE_VAL) refuse(logits, n_vocab, mask);
}

size_t Candidates::find(int32_t token) const {
  const auto at = std::lower_bound(ids_.begin(), ids_.end(), token);
  return at != ids_.end() && *at == token ? static_cast<size_t>(at - ids_.begin()) : size();
}

const std::vector<double>& Candidates::weights() {
  if (!weighed_) {
    weights_.resize(size());
    cpu::kernels().exp_below(logits_.data(), size(), max_, weights_.data());
    weighed_ = true;
    total_weight_ = 0;
  }
  return weights_;
}

double Candidates::total_weight() {
  weights();
  if (total_weight_ == 0) total_weight_ = sum(weights_.data(), size());
  return total_weight_;
}

double Candidates::mean_distance() {
  weights();
  double lanes[kLanes] = {};
  size_t i = 0;
  // A weight of 0 beside a distance that is infinite in effect counts for nothing: w · ln w → 0.
  for (; i + kLanes <= size(); i += kLanes) {
    for (size_t j = 0; j < kLanes; ++j) lanes[j] += weights_[i + j] * (max_ - logits_[i + j]);
  }
  for (; i < size(); ++i) lanes[0] += weights_[i] * (max_ - logits_[i]);
  return sum(lanes, kLanes) / total_weight();
}

void Candidates::changed(bool dropped) {
  weighed_ = false;
  max_ = largest(logits_);
  if (dropped) keep([&](size_t i) { return logits_[i] != -HUGE_VAL; });
}

void Candidates::shrink(size_t n) {
  ids_.resize(n);
  logits_.resize(n);
  if (weighed_) weights_.resize(n);
  total_weight_ = 0;
  const double max = largest(logits_);
  weighed_ = weighed_ && max == max_;
  max_ = max;
}

void Candidates::divide(double by) {
  for (double& logit : logits_) logit /= by;
  max_ /= by;
  weighed_ = false;
}

size_t Candidates::best() const {
  return static_cast<size_t>(std::find(logits_.begin(), logits_.end(), max_) - logits_.begin());
}

void Candidates::keep_best() {
  keep([at = best()](size_t i) { return i == at; });
}

// Puts the candidates into buckets of equal width and goes on, in rounds, with the bucket in which the boundary is.
// Those of the first round's buckets before it stay, those after it go, and in it the last that stays is searched.
template <class Key, class Weight>
void Candidates::keep_first(double low, Key key, Weight weight, double wanted) {
  // Of the first round: what is further from the most probable token hardly matters, and shares the last bucket.
  constexpr double kSpan = 40;
  const double scale = (kBuckets - 1) / kSpan;
  first_bucket_.resize(size());
  for (size_t i = 0; i < size(); ++i) {
    const double place = (key(i) - low) * scale;
    first_bucket_[i] = static_cast<int32_t>(place < kBuckets - 1 ? place : kBuckets - 1);
  }
  buckets_.assign(kBuckets, 0);
  for (size_t i = 0; i < size(); ++i) buckets_[static_cast<size_t>(first_bucket_[i])] += weight(i);
  double before = 0;
  const int32_t b = find_bucket(wanted, &before);
  if (b == kBuckets) return;  // rounding: all of them have just less
  const size_t first =
      static_cast<size_t>(std::find(first_bucket_.begin(), first_bucket_.end(), b) - first_bucket_.begin());
  size_t i = first;
  while (i < size() && (first_bucket_[i] != b || key(i) == key(first))) ++i;
  if (i == size()) {  // all equal: in the order of their indices already
    size_t last = first;
    for (i = first; i < size() && before < wanted; ++i) {
      if (first_bucket_[i] == b) before += weight(last = i);
    }
    keep([&](size_t at) { return first_bucket_[at] < b || (first_bucket_[at] == b && at <= last); });
    return;
  }
  places_.clear();
  for (i = first; i < size(); ++i) {
    if (first_bucket_[i] == b) places_.push_back({key(i), i});
  }
  const Place last = boundary(weight, wanted, before);
  for (i = first; i < size(); ++i) {
    if (first_bucket_[i] == b && last < Place{key(i), i}) first_bucket_[i] = kBuckets;
  }
  keep([&](size_t at) { return first_bucket_[at] <= b; });
}

// The first bucket up to which there is as much as wanted; what comes before it is added to *before.
int32_t Candidates::find_bucket(double wanted, double* before) const {
  int32_t b = 0;
  while (b < kBuckets && *before + buckets_[static_cast<size_t>(b)] < wanted)
    *before += buckets_[static_cast<size_t>(b++)];
  return b;
}

// The last of places_, by key and index, that is needed to have as much as wanted, of which there is `before` already.
template <class Weight>
Candidates::Place Candidates::boundary(Weight weight, double wanted, double before) {
  constexpr size_t kFew = 512;
  constexpr int kRounds = 8;  // only keys of wildly different magnitudes need more than two
  for (int round = 0; round < kRounds && places_.size() > kFew; ++round) {
    const auto [least, most] = std::minmax_element(places_.begin(), places_.end());
    const double low = least->key, scale = (kBuckets - 1) / (most->key - low);
    if (!(scale > 0 && scale < 0x1p1000)) break;  // equal, or as good as that
    const auto bucket = [&](const Place& p) {
      return static_cast<int32_t>(std::min((p.key - low) * scale, kBuckets - 1.0));
    };
    buckets_.assign(kBuckets, 0);
    for (const Place& p : places_) buckets_[static_cast<size_t>(bucket(p))] += weight(p.index);
    const int32_t b = find_bucket(wanted, &before);
    if (b == kBuckets) return *most;  // rounding, as above
    places_.erase(std::remove_if(places_.begin(), places_.end(), [&](const Place& p) { return bucket(p) != b; }),
                  places_.end());
  }
  if (!std::is_sorted(places_.begin(), places_.end())) std::sort(places_.begin(), places_.end());
  for (const Place& p : places_) {
    before += weight(p.index);
    if (before >= wanted) return p;
  }
  return places_.back();
}

void Candidates::keep_most_probable(size_t wanted) {
  if (wanted >= size()) return;
  keep_first(
      -max_, [this](size_t i) { return -logits_[i]; }, [](size_t) { return 1.0; }, static_cast<double>(wanted));
}

void Candidates::keep_most_probable_weight(double wanted) {
  weights();
  keep_first(
      -max_, [this](size_t i) { return -logits_[i]; }, [this](size_t i) { return weights_[i]; }, wanted);
}

void Candidates::keep_nearest(double distance, double wanted) {
  weights();
  keep_first(
      0, [this, most_probable = max_, distance](size_t i) { return std::fabs(most_probable - logits_[i] - distance); },
      [this](size_t i) { return weights_[i]; }, wanted);
}

size_t Candidates::at(double part) {
  constexpr size_t kBlock = 256;
  weights();
  blocks_.clear();
  for (size_t i = 0; i < size(); i += kBlock) blocks_.push_back(sum(&weights_[i], std::min(kBlock, size() - i)));
  double all = 0;
  for (double w : blocks_) all += w;
  const double drawn = part * all;
  double before = 0;
  size_t b = 0;
  while (b + 1 < blocks_.size() && before + blocks_[b] <= drawn) before += blocks_[b++];
  const size_t end = std::min(size(), (b + 1) * kBlock);
  size_t last = b * kBlock;  // with a weight: rounding must not draw what cannot be
  for (size_t i = b * kBlock; i < end; ++i) {
    if (weights_[i] == 0) continue;
    last = i;
    before += weights_[i];
    if (before > drawn) break;
  }
  return last;
}

}  // namespace nt
