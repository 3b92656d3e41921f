/** JSON Schemas as grammars. */
@NullMarked
package dev.nautil.schema;

import org.jspecify.annotations.NullMarked;
