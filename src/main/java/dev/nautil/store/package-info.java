/**
 * The models that are kept on this machine, by what they contain.
 *
 * <p>Everything that the store has came there by one atomic renaming, in an order in which whatever
 * is named exists: blobs, then the manifest that names them, then the reference that names it; and
 * it goes in the opposite order. A process that is killed at any instant leaves what nothing names,
 * which the next one that removes something removes, and parts of blobs, with which the next pull
 * goes on.
 */
@NullMarked
package dev.nautil.store;

import org.jspecify.annotations.NullMarked;
