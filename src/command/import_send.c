#include "command/import_send.h"

static void secret_stored(void *ctx, bool ok, const struct err *err)
{
    struct upload *upload = ctx;
    struct import_sending *sending = upload->sending;

    if (!ok) {
        upload->failed = true;
        upload->err = *err;
    }
    if (--sending->left == 0)
        sending->stored(sending->ctx);
}

void import_send_secrets(struct import_sending *sending, struct import_rows *rows, struct passwords *passwords,
                         void (*stored)(void *ctx), void *ctx)
{
    struct upload *upload;

    *sending = (struct import_sending){ .left = 1, .stored = stored, .ctx = ctx };
    for (upload = rows->uploads; upload; upload = upload->next) {
        if (!upload->due)
            continue;
        upload->sending = sending;
        sending->left++;
        passwords_store(passwords, upload->name, upload->value, buf_text(&upload->hosts), secret_stored, upload);
    }
    if (--sending->left == 0)
        stored(ctx);
}

bool import_send_row(struct import_row *row, struct data_inputs *inputs, rest_done_fn *done)
{
    size_t i;

    if (row->action != ACTION_CREATE && row->action != ACTION_UPDATE)
        return false;
    for (i = 0; i < row->upload_count; i++) {
        if (row->uploads[i]->failed) {
            import_refuse(row, &row->uploads[i]->err);
            return false;
        }
    }
    if (!row->list_len)
        return false;
    if (row->action == ACTION_CREATE)
        data_inputs_create(inputs, row->list, done, row);
    else
        data_inputs_edit(inputs, row->app, row->stanza.name, row->list, done, row);
    return true;
}
