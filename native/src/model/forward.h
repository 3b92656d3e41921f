// The forward pass of the llama family.
#pragma once

#include "backend/backend.h"

namespace nt {

// Runs one pass. Returns false if it was cancelled; the KV slots beyond the sequences' lengths and the logits then hold
// nothing of use.
bool forward(Executor& x, const Model& model, const Step& step);

// Whether the step's cancel flag is set; another thread writes it.
inline bool cancelled(const Step& step) {
#if defined(__GNUC__)
  return step.cancel != nullptr && __atomic_load_n(step.cancel, __ATOMIC_RELAXED) != 0;
#else
  return step.cancel != nullptr && *const_cast<const volatile int32_t*>(step.cancel) != 0;
#endif
}

}  // namespace nt
