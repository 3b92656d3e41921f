// What the operating system grants this process.
#pragma once

#include <cstddef>
#include <cstdint>

namespace nt {

// Threads that may run at once, as affinity and cgroup quota allow; at least 1.
int default_threads();

// Bytes that could still be allocated without swapping: the least of what the system and the cgroup have.
int64_t available_memory();

// Bytes of memory that there are: of the machine, or of the cgroup where that is less.
int64_t physical_memory();

// Resident anonymous memory in bytes, or -1 where the system does not say.
int64_t anonymous_memory();

// Gives the system back the pages that lie wholly inside a range of anonymous memory, whose values are lost. The range
// stays allocated.
void return_memory(void* p, size_t bytes) noexcept;

// How long a large page is, and so what memory that is to lie in them is aligned to.
constexpr size_t kLargePage = size_t{2} << 20;

// Asks for large pages, where the system has them: an address in one needs no walk through the page tables. Ranges that
// are aligned to kLargePage get the most of them; what is mapped from a file, as its file system and its cache allow.
void ask_for_large_pages(void* p, size_t bytes) noexcept;

}  // namespace nt
