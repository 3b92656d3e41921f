#include "backend/backend.h"
#include "cpu/cpu_backend.h"

namespace nt {

const Backend& best_backend() {
  static constexpr const Backend* kBackends[] = {&cpu::kCpuBackend};
  for (const Backend* b : kBackends) {
    if (b->unavailable() == nullptr) return *b;
  }
  return cpu::kCpuBackend;
}

}  // namespace nt
