"""The Earth's constants, each named for its source and unit. Those of physics come first; those of SGP4 stand apart.

Element sets are fitted with SGP4's own WGS-72 values, which differ in the fifth digit: a mean motion goes with WGS72_*
and a state vector with the others.
"""

# National Geospatial-Intelligence Agency, WGS 84, NGA.STND.0036 (2014): tables 3.1 and 3.4.
WGS84_RADIUS_KM = 6378.137  # equatorial
WGS84_FLATTENING = 1.0 / 298.257223563
WGS84_E2 = WGS84_FLATTENING * (2.0 - WGS84_FLATTENING)
WGS84_POLE_KM = WGS84_RADIUS_KM * (1.0 - WGS84_FLATTENING)
WGS84_MU_KM3_S2 = 398600.4418

# EGM96 (F. G. Lemoine et al., NASA/TP-1998-206861): J_n = -sqrt(2n + 1) C_n0.
EGM96_J2 = 1.08262668e-3
EGM96_J3 = -2.53265649e-6
EGM96_J4 = -1.61962159e-6
EGM96_J5 = -2.27296083e-7
EGM96_J6 = 5.40681239e-7

IERS_SPIN_RAD_S = 7.292115146706979e-5  # IERS Conventions (2010), eq. 5.15: 2 pi 1.00273781191135448 / 86400
GMST82_SPIN_RAD_S = 7.2921158553e-5  # against the moving equinox, as TEME is: rate of time.gmst82_rad

# SGP4 alone: D. A. Vallado et al., AIAA 2006-6753, getgravconst of "wgs72".
WGS72_RADIUS_KM = 6378.135
WGS72_MU_KM3_S2 = 398600.8
WGS72_J2 = 0.001082616
WGS72_J3 = -0.00000253881
WGS72_J4 = -0.00000165597
