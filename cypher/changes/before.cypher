// before(latest, overlap): a time so many seconds earlier
RETURN $latest - duration({seconds: $overlap}) AS bound
