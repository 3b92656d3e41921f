// nt_sampling's ranges, and which of its stages do something.
#pragma once

#include <array>
#include <cstddef>

#include "nautil.h"

namespace nt {

// Below this a temperature is 0: logits divided by less would not be numbers.
constexpr double kLeastTemperature = 1e-30;

// Throws Error(NT_INVALID_ARGUMENT), which names the parameter, its value and its range.
void check(const nt_sampling& p, int n_vocab);

// The stages that do something, in order. Of parameters that were checked.
class Stages {
 public:
  explicit Stages(const nt_sampling& p);
  size_t size() const { return size_; }
  nt_stage operator[](size_t i) const { return stages_[i]; }
  bool has(nt_stage stage) const;

 private:
  std::array<nt_stage, sizeof(nt_sampling::order)> stages_{};
  size_t size_ = 0;
};

}  // namespace nt
