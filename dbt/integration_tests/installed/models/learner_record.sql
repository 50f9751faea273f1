select 'course' as kind, '54859' as content_id, 1 as user_id, cast('2026-09-02' as date) as completed_at
