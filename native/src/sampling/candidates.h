// The tokens that are left of a row of logits, always by id: nothing is ever sorted but a few hundred at a boundary.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace nt {

bool allowed(const uint64_t* mask, int token);

// In eight parts that do not wait for each other, always the same ones.
double sum(const double* x, size_t n);

// Used by one thread at a time; keeps its memory.
class Candidates {
 public:
  // What the mask allows (null: everything) and is not −infinity. Throws Error(NT_INVALID_ARGUMENT) if the mask allows
  // nothing, Error(NT_INTERNAL) if a logit is NaN or the largest infinite.
  void load(const float* logits, int n_vocab, const uint64_t* mask);

  size_t size() const { return ids_.size(); }
  int32_t id(size_t i) const { return ids_[i]; }
  double logit(size_t i) const { return logits_[i]; }
  double max() const { return max_; }

  // The most probable one, the lowest id among equals.
  size_t best() const;

  // Where a token is, or size().
  size_t find(int32_t token) const;

  // exp(logit − max) of each: probabilities but for a factor.
  const std::vector<double>& weights();
  double total_weight();

  // Mean of max − logit by probability. The entropy is this + ln total_weight().
  double mean_distance();

  // f(id, logit) is the new logit. −infinity drops the token; at least one must be left.
  template <class F>
  void change(F f) {
    bool dropped = false;
    for (size_t i = 0; i < size(); ++i) {
      logits_[i] = f(ids_[i], logits_[i]);
      dropped |= logits_[i] == -HUGE_VAL;
    }
    changed(dropped);
  }

  // Divides all logits.
  void divide(double by);

  // Keeps those for which f(index) holds; at least one must be.
  template <class F>
  void keep(F f) {
    size_t n = 0;
    for (size_t i = 0; i < size(); ++i) {
      const bool kept = f(i);  // no branch on it: half of them would be mispredicted
      ids_[n] = ids_[i];
      logits_[n] = logits_[i];
      if (weighed_) weights_[n] = weights_[i];
      n += kept;
    }
    shrink(n);
  }

  // Keeps best() alone.
  void keep_best();

  // In the order of decreasing logit and then increasing id, keeps as few as have `wanted` candidates together.
  void keep_most_probable(size_t wanted);

  // Likewise, as few as have this much weight together.
  void keep_most_probable_weight(double wanted);

  // In the order of |max − logit − distance| and then increasing id, as few as have this much weight together.
  void keep_nearest(double distance, double wanted);

  // Cumulative in the order of ids: the first candidate above `part` of the total weight; part is in [0, 1).
  size_t at(double part);

 private:
  struct Place {
    double key;
    size_t index;
    bool operator<(const Place& other) const { return key != other.key ? key < other.key : index < other.index; }
  };

  void changed(bool dropped);
  void shrink(size_t n);
  template <class Key, class Weight>
  void keep_first(double low, Key key, Weight weight, double wanted);  // low: no key is less
  int32_t find_bucket(double wanted, double* before) const;
  template <class Weight>
  Place boundary(Weight weight, double wanted, double before);

  std::vector<int32_t> ids_;
  std::vector<double> logits_, weights_;
  double max_ = 0;
  bool weighed_ = false;     // weights_ is of these logits
  double total_weight_ = 0;  // of weights_; 0: not known

  // Of keep_first().
  static constexpr int32_t kBuckets = 2048;
  std::vector<int32_t> first_bucket_;  // of each candidate
  std::vector<double> buckets_;        // (kBuckets): what is in each together
  std::vector<Place> places_;          // what is in question

  std::vector<double> blocks_;  // at()'s
};

}  // namespace nt
