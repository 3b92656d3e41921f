// What a context takes, known before anything of it is allocated, and whether the machine has it.
#pragma once

#include "backend/backend.h"

namespace nt {

// With defaults in the place of zeros, but for n_ctx and kv_capacity, whose defaults depend on memory. Throws Error:
// NT_INVALID_ARGUMENT, NT_UNSUPPORTED.
nt_context_params checked_params(const Config& config, nt_context_params params);

ExecutorOptions executor_options(const nt_context_params& checked);

// Of the model, which may be of a header alone. copy: its weights are yet to be read into memory.
nt_memory_estimate estimate_memory(const Model& model, int n_threads, const nt_context_params& checked, bool copy);

// Throws Error(NT_OUT_OF_MEMORY) with the numbers, unless the estimate fits.
void require_memory(const nt_memory_estimate& estimate);

}  // namespace nt
