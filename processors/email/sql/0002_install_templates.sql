-- breaking: no
-- The templates every installation begins with, in English as the locale `default`; tenants put
-- their own beside them, translations go beside them under their locale. What variables each needs
-- is listed in docs/processors/email.md.

CREATE FUNCTION mail.install_default(name text, category text, subject text, heading text,
                                     body text, plain text) RETURNS void
LANGUAGE sql
AS $$
    INSERT INTO mail.template
        (name, locale, version, status, category, subject, html, plain)
    VALUES (install_default.name, 'default', 1, 'active', install_default.category,
            install_default.subject,
            '<!DOCTYPE html>' || chr(10)
            || '<html lang="en"><head><meta charset="utf-8"><title>' || install_default.heading
            || '</title></head>' || chr(10)
            || '<body style="font-family:sans-serif;line-height:1.5;max-width:36em;margin:0 auto">'
            || chr(10) || '<h1 style="font-size:1.4em">' || install_default.heading || '</h1>'
            || chr(10) || install_default.body || chr(10)
            || '{{#if unsubscribe_url}}<p style="font-size:0.8em"><a href="{{unsubscribe_url}}">'
            || 'No more mails of this kind</a></p>{{/if}}' || chr(10)
            || '</body></html>' || chr(10),
            install_default.plain || '{{#if unsubscribe_url}}' || chr(10) || chr(10)
            || 'No more mails of this kind: {{unsubscribe_url}}' || chr(10) || '{{/if}}' || chr(10))
$$;

SELECT mail.install_default('purchase_confirmation', 'transactional',
    $s$Your tickets for {{event.name}}$s$, $h$Thank you, {{customer_name}}$h$,
$html$<p>Your order <strong>{{order_id}}</strong> is paid. We look forward to seeing you at
<strong>{{event.name}}</strong>.</p>
<p>{{formatDate event.starts_at "long"}}, {{formatTime event.starts_at}}<br>{{event.venue}}</p>
<ul>
{{#each items}}
<li>{{quantity}} × {{name}}: {{formatCurrency amount currency}}</li>
{{/each}}
</ul>
<p>Total: <strong>{{formatCurrency total currency}}</strong></p>
{{#if tickets_url}}<p><a href="{{tickets_url}}">Show my tickets</a></p>{{/if}}$html$,
$plain$Thank you, {{customer_name}}

Your order {{order_id}} is paid. We look forward to seeing you at {{event.name}}.

{{formatDate event.starts_at "long"}}, {{formatTime event.starts_at}}
{{event.venue}}

{{#each items}}
- {{quantity}} x {{name}}: {{formatCurrency amount currency}}
{{/each}}

Total: {{formatCurrency total currency}}
{{#if tickets_url}}

Your tickets: {{tickets_url}}
{{/if}}
$plain$);

SELECT mail.install_default('refund_confirmation', 'transactional',
    $s$Your refund for order {{order_id}}$s$, $h$Your money is on its way$h$,
$html$<p>Hello {{customer_name}},</p>
<p>we have refunded <strong>{{formatCurrency amount currency}}</strong> of your order
<strong>{{order_id}}</strong>{{#if reason}} ({{reason}}){{/if}}.</p>
{{#if partial}}<p>This is a part of what you paid; the rest of the order stands.</p>{{/if}}
<p>It is paid back the way you paid. Banks take up to ten working days to show it.</p>$html$,
$plain$Hello {{customer_name}},

we have refunded {{formatCurrency amount currency}} of your order
{{order_id}}{{#if reason}} ({{reason}}){{/if}}.
{{#if partial}}
This is a part of what you paid; the rest of the order stands.
{{/if}}
It is paid back the way you paid. Banks take up to ten working days to show it.
$plain$);

SELECT mail.install_default('nft_minted', 'transactional',
    $s$Your ticket for {{event.name}} is on the chain$s$, $h$Your ticket is minted$h$,
$html$<p>Hello {{customer_name}},</p>
<p>the ticket <strong>{{ticket_id}}</strong> for <strong>{{event.name}}</strong> now exists as a
token of your own.</p>
<p>Address: <code>{{mint_address}}</code></p>
{{#if explorer_url}}<p><a href="{{explorer_url}}">Look at it</a></p>{{/if}}$html$,
$plain$Hello {{customer_name}},

the ticket {{ticket_id}} for {{event.name}} now exists as a token of your own.

Address: {{mint_address}}
{{#if explorer_url}}
Look at it: {{explorer_url}}
{{/if}}
$plain$);

SELECT mail.install_default('ticket_transfer_sender', 'transactional',
    $s$You have passed on a ticket for {{event.name}}$s$, $h$Your ticket has a new owner$h$,
$html$<p>Hello {{customer_name}},</p>
<p>your ticket <strong>{{ticket_id}}</strong> for <strong>{{event.name}}</strong> on
{{formatDate event.starts_at "long"}} went to {{recipient_name}} and no longer opens the door for
you.</p>
<p>Was that not you? Please write to us at once: {{support_contact}}.</p>$html$,
$plain$Hello {{customer_name}},

your ticket {{ticket_id}} for {{event.name}} on
{{formatDate event.starts_at "long"}} went to {{recipient_name}} and no longer opens the door
for you.

Was that not you? Please write to us at once: {{support_contact}}.
$plain$);

SELECT mail.install_default('ticket_transfer_recipient', 'transactional',
    $s${{sender_name}} has given you a ticket for {{event.name}}$s$, $h$A ticket for you$h$,
$html$<p>Hello {{customer_name}},</p>
<p>{{sender_name}} has passed the ticket <strong>{{ticket_id}}</strong> for
<strong>{{event.name}}</strong> on to you.</p>
<p>{{formatDate event.starts_at "long"}}, {{formatTime event.starts_at}}<br>{{event.venue}}</p>
<p><a href="{{accept_url}}">Accept the ticket</a></p>$html$,
$plain$Hello {{customer_name}},

{{sender_name}} has passed the ticket {{ticket_id}} for {{event.name}} on to you.

{{formatDate event.starts_at "long"}}, {{formatTime event.starts_at}}
{{event.venue}}

Accept it here: {{accept_url}}
$plain$);

SELECT mail.install_default('event_reminder', 'reminders',
    $s${{event.name}} is near$s$, $h$See you soon$h$,
$html$<p>Hello {{customer_name}},</p>
<p><strong>{{event.name}}</strong> begins on {{formatDate event.starts_at "long"}} at
{{formatTime event.starts_at}}.</p>
<p>{{event.venue}}{{#if event.address}}<br>{{event.address}}{{/if}}</p>
{{#gt ticket_count 1}}
<p>You have {{ticket_count}} tickets; bring all of them.</p>
{{else}}
<p>Bring your ticket.</p>
{{/gt}}$html$,
$plain$Hello {{customer_name}},

{{event.name}} begins on {{formatDate event.starts_at "long"}} at {{formatTime event.starts_at}}.

{{event.venue}}
{{#if event.address}}
{{event.address}}
{{/if}}

{{#gt ticket_count 1}}
You have {{ticket_count}} tickets; bring all of them.
{{else}}
Bring your ticket.
{{/gt}}
$plain$);

SELECT mail.install_default('event_cancelled', 'transactional',
    $s${{event.name}} will not take place$s$, $h$We are sorry$h$,
$html$<p>Hello {{customer_name}},</p>
<p><strong>{{event.name}}</strong> on {{formatDate event.starts_at "long"}} had to be
cancelled{{#if reason}}: {{reason}}{{/if}}.</p>
{{#if refund_amount}}<p>You get {{formatCurrency refund_amount currency}} back without doing
anything.</p>{{else}}<p>We will write to you about your money.</p>{{/if}}$html$,
$plain$Hello {{customer_name}},

{{event.name}} on {{formatDate event.starts_at "long"}} had to be
cancelled{{#if reason}}: {{reason}}{{/if}}.

{{#if refund_amount}}
You get {{formatCurrency refund_amount currency}} back without doing anything.
{{else}}
We will write to you about your money.
{{/if}}
$plain$);

SELECT mail.install_default('welcome', 'transactional',
    $s$Welcome, {{customer_name}}$s$, $h$Good to have you here$h$,
$html$<p>Hello {{customer_name}},</p>
<p>your account is ready.</p>
{{#if confirm_url}}
<p><a href="{{confirm_url}}">Please confirm that this is your address</a></p>
{{/if}}$html$,
$plain$Hello {{customer_name}},

your account is ready.
{{#if confirm_url}}

Please confirm that this is your address: {{confirm_url}}
{{/if}}
$plain$);

SELECT mail.install_default('password_reset', 'critical',
    $s$Set a new password$s$, $h$A new password$h$,
$html$<p>Hello {{customer_name}},</p>
<p>somebody, we hope you, has asked for a new password.</p>
<p><a href="{{reset_url}}">Choose one</a></p>
<p>The link works for {{valid_minutes}} minutes. If it was not you, leave this mail alone: nothing
changes.</p>$html$,
$plain$Hello {{customer_name}},

somebody, we hope you, has asked for a new password. Choose one here:

{{reset_url}}

The link works for {{valid_minutes}} minutes. If it was not you, leave this mail alone: nothing
changes.
$plain$);

SELECT mail.install_default('abandoned_cart', 'marketing',
    $s$Still in your cart: {{event.name}}$s$, $h$You have left something behind$h$,
$html$<p>Hello {{customer_name}},</p>
<p>these are waiting for you:</p>
<ul>
{{#each items}}
<li>{{quantity}} × {{name}}: {{formatCurrency amount currency}}</li>
{{/each}}
</ul>
<p><a href="{{cart_url}}">Back to the cart</a></p>
{{#if held_until}}<p>They are kept for you until {{formatTime held_until}}.</p>{{/if}}$html$,
$plain$Hello {{customer_name}},

these are waiting for you:

{{#each items}}
- {{quantity}} x {{name}}: {{formatCurrency amount currency}}
{{/each}}

Back to the cart: {{cart_url}}
{{#if held_until}}
They are kept for you until {{formatTime held_until}}.
{{/if}}
$plain$);

SELECT mail.install_default('admin_alert', 'critical',
    $s$[{{severity}}] {{title}}$s$, $h${{title}}$h$,
$html$<p><strong>{{severity}}</strong> since {{formatDate since "iso"}} {{formatTime since}}</p>
<p>{{message}}</p>
{{#if figures}}
<table>
{{#each figures}}
<tr><td>{{name}}</td><td>{{value}}</td></tr>
{{/each}}
</table>
{{/if}}
{{#if link}}<p><a href="{{link}}">Look into it</a></p>{{/if}}$html$,
$plain${{severity}} since {{formatDate since "iso"}} {{formatTime since}}

{{message}}

{{#each figures}}
{{name}}: {{value}}
{{/each}}
{{#if link}}

Look into it: {{link}}
{{/if}}
$plain$);

DROP FUNCTION mail.install_default(text, text, text, text, text, text);
