/** Java values as JSON, and the JSON Schemas of their types. */
@NullMarked
package dev.nautil.json;

import org.jspecify.annotations.NullMarked;
