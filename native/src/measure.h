// The machine's limits, measured.
#pragma once

#include "cpu/thread_pool.h"

namespace nt {

// Bytes a second that all the pool's threads read from memory that no cache holds, as a rule, in order or as eight
// streams each, whichever is faster: the median of passes. Takes about a second.
double measure_bandwidth(cpu::ThreadPool& pool);

// Multiply-adds a second of the widest int8 dots on all the pool's threads. Takes about 0.3 s.
double measure_dot(cpu::ThreadPool& pool);

}  // namespace nt
