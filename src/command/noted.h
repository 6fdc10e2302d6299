/* command/noted.h - what a running input has noted in its checkpoint, for commands that look at it. */
#pragma once

/* Returns a text member of the input's checkpoint; NULL: there is none, or it cannot be read. Caller frees. */
char *noted_text(const char *checkpoint_dir, const char *input_name, const char *member);
