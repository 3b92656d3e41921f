/** What a reply may be: grammars, and the masks that hold a model to them. */
@NullMarked
package dev.nautil.grammar;

import org.jspecify.annotations.NullMarked;
