/** Models that are named by references, not by files alone. */
@NullMarked
package dev.nautil.registry;

import org.jspecify.annotations.NullMarked;
