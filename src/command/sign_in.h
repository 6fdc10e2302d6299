/* command/sign_in.h - `sign-in`: a refresh token for delegated sign-in, by authorization code or device code. */
#pragma once

/* Returns the exit status: 0 if signed in, else 1. */
int sign_in_run(int argc, char **argv);
