/* command/update.h - the alert action defender_mssp_update: changes one alert or incident at Microsoft and adds a comment.
 *
 * splunkd starts the program with --execute for each alert that fires and each action that a person runs, and writes a
 * JSON object to stdin (splunk/action.h). The customer is an input of this instance whose parameter allow_update says
 * yes; its credential signs in, and its tenant has to have granted the permission to write (microsoft/change.h). A
 * rotated refresh token is dropped: Microsoft does not revoke the old one, and the running input owns it.
 *
 * Being the guest beside the inputs: updates of a host take turns, with two seconds in between, so that they use at most
 * 30 requests a minute of the fewest that any tenant allows (50). What Microsoft asks to wait for is waited for, as far
 * as the action's time goes.
 *
 * Each try is an event of the source type ms:defender:update in the customer's index (command/update_event.h), and the
 * end a line of splunkd.log. */
#pragma once

/* argv[0] is the command. Returns the exit status: 0 if Microsoft has made the change. */
int update_run(int argc, char **argv);
