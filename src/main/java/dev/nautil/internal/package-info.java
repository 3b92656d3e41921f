/**
 * The Java side of the C ABI: JavaCPP's bindings, and one thin wrapper a handle.
 *
 * <p>No type of JavaCPP's leaves this package, and none of them owns memory: JavaCPP's allocator
 * counts the whole process's memory against a multiple of the Java heap's limit, and would refuse
 * to allocate beside a large KV cache. Structs lie in direct buffers instead.
 */
@NullMarked
package dev.nautil.internal;

import org.jspecify.annotations.NullMarked;
