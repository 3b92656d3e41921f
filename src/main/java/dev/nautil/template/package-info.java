/** Chat templates: a small Jinja interpreter whose strings know where they came from. */
@NullMarked
package dev.nautil.template;

import org.jspecify.annotations.NullMarked;
