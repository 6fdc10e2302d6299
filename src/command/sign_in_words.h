/* command/sign_in_words.h - the messages of `sign-in`, with options in place of parameters.
 *
 * Most of its messages are made for inputs and name parameters of inputs.conf (tenant_id). The person who reads them
 * typed options (--tenant). */
#pragma once

/* Returns the text with the names of parameters as they are typed. Words in quotes and in addresses stay. Caller frees. */
char *sign_in_words(const char *text);
