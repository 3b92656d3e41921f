package dev.nautil.cli;

import dev.nautil.MemoryEstimate;
import dev.nautil.StoredModel;
import dev.nautil.internal.NativeFile;
import org.jspecify.annotations.Nullable;

/**
 * What {@code nautil inspect} shows.
 *
 * @param model what a store or a registry knows of the file; null if it is just a file
 * @param memory what the model takes; null if it is none that runs here
 * @param values of a tensor; null if none was asked for
 */
record Inspected(
    NativeFile file,
    @Nullable StoredModel model,
    @Nullable MemoryEstimate memory,
    @Nullable TensorRows values) {}
