// Memory aligned to 64 bytes that only grows, and is not initialised; in large pages where it is long.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>

#include "error.h"
#include "system.h"

namespace nt::cpu {

template <typename T>
class AlignedBuffer {
 public:
  // Makes room for n values; what was there is lost when it has to grow. Throws Error(NT_OUT_OF_MEMORY).
  T* ensure(size_t n) {
    if (n > capacity_) {
      data_.reset();
      capacity_ = 0;
      const size_t used = n * sizeof(T), alignment = used < kLargePage ? 64 : kLargePage;
      const size_t bytes = (used + alignment - 1) / alignment * alignment;
      data_.reset(static_cast<T*>(std::aligned_alloc(alignment, bytes)));
      if (data_ == nullptr) throw Error(NT_OUT_OF_MEMORY, format("cannot allocate %zu bytes", bytes));
      if (alignment == kLargePage) ask_for_large_pages(data_.get(), used);
      capacity_ = n;
    }
    return data_.get();
  }

  T* get() const { return data_.get(); }

 private:
  struct Free {
    void operator()(T* p) const { std::free(p); }
  };
  std::unique_ptr<T, Free> data_;
  size_t capacity_ = 0;
};

}  // namespace nt::cpu
