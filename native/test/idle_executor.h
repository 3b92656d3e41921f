// An executor that does nothing, for tests to override what they look at.
#pragma once

#include "model/forward.h"

namespace test {

class IdleExecutor : public nt::Executor {
 public:
  void allocate_page(int32_t) override {}
  void release_page(int32_t) noexcept override {}
  void copy_page(int32_t, int32_t) override {}
  size_t page_bytes() const override { return 0; }
  void read_page(int32_t, int, uint8_t*) const override {}
  void write_page(int32_t, const uint8_t*) override {}
  void begin(const nt::Step&) override {}
  void gather(const nt::Tensor&) override {}
  void qkv(const nt::Layer&, int) override {}
  void attention(int) override {}
  void attention_output(const nt::Tensor&) override {}
  void feed_forward(const nt::Layer&) override {}
  void feed_forward_output(const nt::Tensor&) override {}
  void logits(const nt::Tensor&, const nt::Tensor&) override {}
  void hidden(const nt::Tensor&) override {}
  void finish() override {}
};

}  // namespace test
