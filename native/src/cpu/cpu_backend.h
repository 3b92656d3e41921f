// The CPU as a backend.
#pragma once

#include "backend/backend.h"

namespace nt::cpu {

extern const Backend kCpuBackend;

}  // namespace nt::cpu
