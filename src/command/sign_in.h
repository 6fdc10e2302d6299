/* command/sign_in.h - `sign-in`: a refresh token for delegated sign-in, by authorization code or device code. */
#pragma once

/* Exit status: 0 signed in, 1 not. */
int sign_in_run(int argc, char **argv);
