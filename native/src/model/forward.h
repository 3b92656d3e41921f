// The forward pass of the llama family.
#pragma once

#include "backend/backend.h"

namespace nt {

// Runs one pass. Returns false if it was cancelled; the KV slots beyond the sequences' lengths and the outputs then
// hold nothing of use.
bool forward(Executor& x, const Model& model, const Step& step);

// Whether the step's cancel flag is set, or was when someone asked before; another thread writes it.
inline bool cancelled(const Step& step) {
  if (step.cancel == nullptr) return false;
#if defined(__GNUC__)
  const int32_t flag = __atomic_load_n(step.cancel, __ATOMIC_RELAXED);
#else
  const int32_t flag = *const_cast<const volatile int32_t*>(step.cancel);
#endif
  if (flag != 0) step.was_cancelled.store(true, std::memory_order_relaxed);
  return step.was_cancelled.load(std::memory_order_relaxed);
}

}  // namespace nt
