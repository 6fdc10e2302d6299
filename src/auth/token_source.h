#pragma once
#include "auth/principal.h"
