module means
  use, intrinsic :: iso_c_binding, only: c_double, c_size_t
  implicit none

contains

  pure function mean_of(count, values) result(mean) bind(c, name="mean_of")
    integer(c_size_t), intent(in), value :: count
    real(c_double), intent(in) :: values(count)
    real(c_double) :: mean

    mean = sum(values) / real(count, c_double)
  end function mean_of

end module means
